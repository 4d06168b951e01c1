import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";
import { look } from "../../../shared/look/build/look.ts";
import { preloadFont } from "../../../shared/look/build/preload-font.ts";
import { schemeScript } from "../../../shared/look/build/scheme-script.ts";

// `npm run dev` serves the app with live reload and passes API calls on to a gateway that runs elsewhere.
const gateway = process.env.GATEWAY_URL ?? "http://localhost:8000";

export default defineConfig({
  plugins: [react(), look(), schemeScript(), preloadFont("atkinson-hyperlegible-next-latin-wght-normal")],
  server: { proxy: { "/v1": { target: gateway, changeOrigin: false } } },
  build: {
    // Nothing inline: the policy allows no inline script, and files keep their names stable and cacheable.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: "es2022",
  },
  test: {
    environment: "jsdom",
    environmentOptions: { jsdom: { url: "http://localhost:8000/" } },
    setupFiles: ["src/test/setup.ts"],
    testTimeout: 20_000,
    restoreMocks: true,
    css: false,
  },
});
