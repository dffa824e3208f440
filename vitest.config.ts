import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

// CKPT_TEST_BUILT=1 tests what is published (dist) instead of the sources.
const built = process.env.CKPT_TEST_BUILT === "1";
const conditions = [...(built ? [] : ["@ckpt/source"]), "module", "node", "development|production"];

/** The apps' tests run whole programs and take longest: begun last, they would leave the other cores idle at the end. */
class AppsFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isOfApp = (file: TestSpecification) => file.moduleId.includes("/apps/");
    return [...sorted.filter(isOfApp), ...sorted.filter((file) => !isOfApp(file))];
  }
}

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ["packages/*/test/**/*.test.ts", "apps/*/test/**/*.test.ts", "tooling/test/**/*.test.ts"],
    sequence: { sequencer: AppsFirst },
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Most tests wait for the disk: every core is used, where vitest would leave one idle.
    maxWorkers: "100%",
  },
});
