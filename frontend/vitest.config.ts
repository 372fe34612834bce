import { defineConfig, mergeConfig } from "vitest/config";
import viteConfig from "./vite.config.ts";

// A file of its own: the build is made without vitest being installed.
export default mergeConfig(
  viteConfig,
  defineConfig({
    test: {
      include: ["src/**/*.test.{ts,tsx}"],
      environment: "jsdom",
      setupFiles: "src/testing/setup.ts",
      restoreMocks: true,
      unstubGlobals: true,
    },
  }),
);
