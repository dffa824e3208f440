// `npm test`: build, lint, types, every test. Goes on after a failure, so that one run shows all that is wrong.
import { keepCounts, run, vitest } from "./steps.mjs";

const turbo = (task) => ["turbo", ["run", task, "--output-logs=errors-only"]];
const steps = [
  run("lint and format (biome)", "biome", ["ci", "."]),
  // One program for the whole tree: every package's sources are checked once, not once per package that uses them.
  run("types (tsc)", "tsc", ["-p", "tsconfig.json"]),
  run("build (tsup)", ...turbo("build")),
];
const tests = vitest("tests (vitest)", process.argv.slice(2));
const failed = steps.filter((ok) => !ok).length + tests.failed;
keepCounts("check", {
  passed: steps.length - steps.filter((ok) => !ok).length + tests.passed,
  failed,
  skipped: tests.skipped,
});
process.exit(failed === 0 ? 0 : 1);
