import { defineConfig } from "vitest/config";

export default defineConfig({
  resolve: { conditions: ["untrigger-source"] },
  ssr: { resolve: { conditions: ["untrigger-source"] } },
  test: {
    include: ["src/**/*.test.ts", "test/**/*.test.ts", "web/src/**/*.test.ts"],
    pool: "forks",
    testTimeout: 60_000,
    setupFiles: ["test/support/matchers.ts"],
  },
});
