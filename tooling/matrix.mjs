// `npm run test:matrix`: the packages as built, tested on every supported Node. The npm package `node@N` brings the binary.
import { execFileSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { keepCounts, vitest } from "./steps.mjs";

const majors = process.argv.length > 2 ? process.argv.slice(2) : ["20", "22", "24"];
// Simulated power cuts come out alike on every Node, as do random inputs and what is merely long: `npm test` has had its fill of them.
const cuts = ["power-cut", "explore", "suite-catches"];
const long = ["long-history", "large-compaction", "many-holes", "failing-commits", "removed-head", "folding"];
// What stores are wrapped in asks nothing of Node; the stores themselves have the same suite.
const wrappers = ["store-suite", "wrappers"];
const leftOut = [...cuts, ...long, ...wrappers].map((name) => `--exclude=**/${name}.test.ts`);
const env = { CKPT_PROPERTY_RUNS: "30", CKPT_RACE_ROUNDS: "10", ...process.env, CKPT_TEST_BUILT: "1" };
const own = process.versions.node.split(".")[0];
const total = { passed: 0, failed: 0, skipped: 0 };
const binaries = mkdtempSync(join(tmpdir(), "ckpt-node-"));
chmodSync(binaries, 0o755);

/** A Node of this major version, where children of any user can run it (npm's cache is the owner's alone). */
function nodeBinary(major) {
  if (major === own) return process.execPath;
  console.error(`> fetching Node ${major}`);
  const args = ["--yes", "--prefer-offline", `node@${major}`, "-p", "process.execPath"];
  const found = execFileSync("npx", args, { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] }).trim();
  const binary = join(binaries, `node-${major}`);
  copyFileSync(found, binary);
  chmodSync(binary, 0o755);
  return binary;
}

try {
  for (const major of majors) {
    // On this Node `npm test` has had the sources: what stands on everything else tells whether the build of them works as well. So it does
    // of a Node between two others that are tested: what breaks there would have to come and go.
    const isOutermost = major === majors[0] || major === majors.at(-1);
    const what =
      isOutermost && major !== own
        ? ["packages/"]
        : ["packages/core/", "packages/io/", "packages/resilient/"];
    const counts = vitest(`built packages on Node ${major}`, [...what, ...leftOut], {
      node: [nodeBinary(major)],
      env,
    });
    for (const key of Object.keys(total)) total[key] += counts[key];
  }
} finally {
  rmSync(binaries, { recursive: true, force: true });
}
keepCounts("matrix", total);
process.exit(total.failed === 0 ? 0 : 1);
