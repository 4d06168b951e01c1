import { fileURLToPath } from "node:url";
import type { Plugin } from "vite";

const FOLDER = fileURLToPath(new URL("..", import.meta.url));

/**
 * Lets an app import the shared look as `@look/...`.
 *
 * The look has no packages of its own: what it imports comes from the app that is built, one copy of each.
 */
export function look(): Plugin {
  return {
    name: "countersign:look",
    config: (_config, { command }) => ({
      resolve: {
        alias: { "@look": FOLDER },
        dedupe: ["react", "react-dom", "@mantine/core", "@mantine/hooks", "@tabler/icons-react"],
      },
      ...(command === "serve" ? { server: { fs: { allow: [process.cwd(), FOLDER] } } } : {}),
    }),
  };
}
