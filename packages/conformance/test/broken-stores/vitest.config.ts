import { mergeConfig } from "vitest/config";
import root from "../../../../vitest.config.js";

const config = mergeConfig(root, {});
// Run on purpose only: the stores in it are broken, and its tests are to fail.
config.test = { ...config.test, include: ["packages/conformance/test/broken-stores/suite.ts"] };

export default config;
