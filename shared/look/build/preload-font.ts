import type { Plugin } from "vite";

/**
 * Asks the browser for the one font file that every page needs while it still reads the style sheet, so that the
 * text does not change its face under the reader's eyes.
 */
export function preloadFont(name: string): Plugin {
  let base = "/";
  return {
    name: "countersign:preload-font",
    apply: "build",
    configResolved(config) {
      base = config.base;
    },
    transformIndexHtml: {
      order: "post",
      handler(_html, { bundle }) {
        const file = Object.keys(bundle ?? {}).find((path) => path.includes(name) && path.endsWith(".woff2"));
        if (!file) throw new Error(`no font named ${name} in the bundle`);
        const attrs = { rel: "preload", href: base + file, as: "font", type: "font/woff2", crossorigin: true };
        return [{ tag: "link", attrs, injectTo: "head" as const }];
      },
    },
  };
}
