import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Plugin } from "vite";

const SOURCE = new URL("../scheme.js", import.meta.url);

/**
 * Puts `scheme.js` into the head as a classic script file of its own.
 *
 * It must run before the first paint, so it cannot be a module (those wait for the whole document), and the
 * content security policy admits no inline script, so it cannot sit in the page. The name carries a hash of
 * the content because everything under /assets is cached for ever.
 */
export function schemeScript(): Plugin {
  const source = readFileSync(SOURCE, "utf8");
  const hash = createHash("sha256").update(source).digest("hex").slice(0, 8);
  const fileName = `assets/scheme-${hash}.js`;
  let base = "/";
  return {
    name: "countersign:scheme-script",
    configResolved(config) {
      base = config.base;
    },
    configureServer(server) {
      server.middlewares.use(`/${fileName}`, (_request, answer) => {
        answer.setHeader("Content-Type", "text/javascript").end(source);
      });
    },
    generateBundle() {
      this.emitFile({ type: "asset", fileName, source });
    },
    transformIndexHtml: () => [{ tag: "script", attrs: { src: base + fileName }, injectTo: "head-prepend" }],
  };
}
