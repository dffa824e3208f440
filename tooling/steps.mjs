// Runs the steps of a check one after another, says what it is doing and how long it took, and keeps the counts of
// passed and failed checks in node_modules/.cache/ckpt, where `totals.mjs` adds them up.
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = join(dirname(fileURLToPath(import.meta.url)), "..");
export const countsDirectory = join(root, "node_modules", ".cache", "ckpt");

/** Runs a command in the foreground; true when it exited with 0. */
export function run(label, command, args, options = {}) {
  const started = Date.now();
  console.error(`> ${label}`);
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: "inherit", ...options });
  if (error) console.error(`  ${command} could not be started: ${error.message}`);
  const seconds = ((Date.now() - started) / 1000).toFixed(1);
  console.error(`  ${status === 0 ? "ok" : `FAILED (exit ${status})`} in ${seconds} s`);
  return status === 0;
}

/** Runs vitest with the given arguments and reads back how many tests passed, failed and were skipped. */
export function vitest(label, args, { node = [process.execPath], env = {} } = {}) {
  mkdirSync(countsDirectory, { recursive: true });
  const report = join(countsDirectory, `vitest-${process.pid}.json`);
  rmSync(report, { force: true });
  const [command, ...before] = node;
  const ok = run(
    label,
    command,
    [
      ...before,
      "node_modules/vitest/vitest.mjs",
      "run",
      "--reporter=default",
      "--silent=passed-only",
      "--reporter=json",
      `--outputFile.json=${report}`,
      ...args,
    ],
    { env: { ...process.env, ...env } },
  );
  let counts = { passed: 0, failed: 1, skipped: 0 };
  try {
    const { numPassedTests, numFailedTests, numPendingTests, numFailedTestSuites } = JSON.parse(
      readFileSync(report, "utf8"),
    );
    const failed = numFailedTests > 0 ? numFailedTests : ok ? 0 : Math.max(1, numFailedTestSuites);
    counts = { passed: numPassedTests, failed, skipped: numPendingTests };
    rmSync(report, { force: true });
  } catch (error) {
    console.error(`  vitest left no readable report: ${error.message}`);
  }
  return counts;
}

/** Keeps the counts of one check for the total. */
export function keepCounts(name, counts) {
  mkdirSync(countsDirectory, { recursive: true });
  writeFileSync(join(countsDirectory, `${name}.counts.json`), JSON.stringify(counts));
  const skipped = counts.skipped ? `, ${counts.skipped} skipped` : "";
  console.log(`${name}: ${counts.passed} passed, ${counts.failed} failed${skipped}`);
}
