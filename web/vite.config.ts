// How the two pages are built and tested. What the hub serves lies in dist/ afterwards, csp.txt with it.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const hub = process.env["TANDEM_HUB_URL"] ?? "http://127.0.0.1:8080";

/** The hub sends the policy that the pages were tested under: it travels with the build. */
function contentSecurityPolicy(): Plugin {
  return {
    name: "tandem-csp",
    apply: "build",
    generateBundle() {
      this.emitFile({ type: "asset", fileName: "csp.txt", source: readFileSync(here("csp.txt"), "utf8") });
    },
  };
}

/** In development, /help and everything below it is the portal's page, as the hub has it. */
function portalRoutes(): Plugin {
  return {
    name: "tandem-portal-routes",
    configureServer(server) {
      server.middlewares.use((request, _response, next) => {
        if (request.url === "/help" || request.url?.startsWith("/help/")) request.url = "/help.html";
        next();
      });
    },
  };
}

export default defineConfig({
  plugins: [react(), tailwindcss(), contentSecurityPolicy(), portalRoutes()],
  build: {
    target: "es2022",
    // both pages share one chunk: React, router, queries, menus and Markdown, 202 kB gzipped of the 230 that a first load may have
    chunkSizeWarningLimit: 700,
    rollupOptions: { input: { console: here("index.html"), portal: here("help.html") } },
  },
  server: { proxy: { "/api": { target: hub }, "/ws": { target: hub, ws: true } } },
  test: { environment: "jsdom", include: ["src/**/*.test.{ts,tsx}"], setupFiles: ["src/ui/test-setup.ts"] },
});
