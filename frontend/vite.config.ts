import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// Where Flask listens while Vite serves the page: `make dev` in one terminal, `make page-dev` in another.
const api = process.env.MUSICGEN_URL ?? `http://127.0.0.1:${process.env.PORT ?? "8000"}`;

export default defineConfig({
  plugins: [react()],
  server: {
    port: 5173,
    strictPort: true,
    proxy: { "/api": api, "/output": api },
  },
  build: {
    // Part of the Python package; musicgen/web/page.py serves it.
    outDir: "../musicgen/web/page",
    emptyOutDir: true,
    // The first browsers with light-dark(): 2024.
    target: ["chrome123", "firefox120", "safari17.5"],
    // The Content-Security-Policy lets fonts and scripts come from files only.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
});
