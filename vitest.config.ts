import { defineConfig } from "vitest/config";

/** Tests that drive a browser. It wants both cores, so they come last and one file at a time. */
const inBrowser = "test/web/**/*.test.ts";

export default defineConfig({
  resolve: { conditions: ["untrigger-source"] },
  ssr: { resolve: { conditions: ["untrigger-source"] } },
  test: {
    pool: "forks",
    testTimeout: 120_000,
    hookTimeout: 60_000,
    setupFiles: ["test/support/matchers.ts"],
    projects: [
      {
        extends: true,
        test: {
          name: "node",
          include: ["src/**/*.test.ts", "test/**/*.test.ts", "web/src/**/*.test.ts"],
          exclude: [inBrowser],
        },
      },
      {
        extends: true,
        test: {
          name: "browser",
          include: [inBrowser],
          testTimeout: 240_000,
          hookTimeout: 120_000,
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
