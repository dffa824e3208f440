import { defineConfig } from "vitest/config";

// CKPT_TEST_BUILT=1 tests what is published (dist) instead of the sources.
const built = process.env.CKPT_TEST_BUILT === "1";
const conditions = [...(built ? [] : ["@ckpt/source"]), "module", "node", "development|production"];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ["packages/*/test/**/*.test.ts", "apps/*/test/**/*.test.ts", "tooling/test/**/*.test.ts"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Most tests wait for the disk: every core is used, where vitest would leave one idle.
    maxWorkers: "100%",
  },
});
