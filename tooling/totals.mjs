// Adds up what the checks of this run kept; the last line is the plain total. `--reset` forgets earlier runs, `--failed NAME` counts
// a step that failed without counting anything itself.
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { countsDirectory, keepCounts } from "./steps.mjs";

const files = existsSync(countsDirectory)
  ? readdirSync(countsDirectory).filter((f) => f.endsWith(".counts.json"))
  : [];
const failedAt = process.argv.indexOf("--failed");
if (process.argv.includes("--reset")) {
  for (const file of files) rmSync(join(countsDirectory, file));
} else if (failedAt > 0) {
  const name = process.argv[failedAt + 1];
  const file = `${name}.counts.json`;
  const counts = files.includes(file)
    ? JSON.parse(readFileSync(join(countsDirectory, file), "utf8"))
    : { passed: 0, failed: 0, skipped: 0 };
  // What the step has counted already says more.
  if (counts.failed === 0) keepCounts(name, { ...counts, failed: 1 });
} else {
  const total = { passed: 0, failed: 0, skipped: 0 };
  for (const file of files) {
    const counts = JSON.parse(readFileSync(join(countsDirectory, file), "utf8"));
    for (const key of Object.keys(total)) total[key] += counts[key] ?? 0;
  }
  console.log(
    `${total.passed} passed, ${total.failed} failed${total.skipped ? `, ${total.skipped} skipped` : ""}`,
  );
  process.exitCode = total.failed === 0 && total.passed > 0 ? 0 : 1;
}
