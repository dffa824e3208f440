// `npm run test:matrix`: the packages as built, tested on every supported Node. The npm package `node@N` brings the binary.
import { keepCounts, vitest } from "./steps.mjs";

const majors = process.argv.length > 2 ? process.argv.slice(2) : ["20", "22", "24"];
const own = process.versions.node.split(".")[0];
const total = { passed: 0, failed: 0, skipped: 0 };
for (const major of majors) {
  const node = major === own ? [process.execPath] : ["npx", "--yes", "--prefer-offline", `node@${major}`];
  const counts = vitest(`built packages on Node ${major}`, ["packages/"], {
    node,
    env: { CKPT_TEST_BUILT: "1", CKPT_MATRIX: "1" },
  });
  for (const key of Object.keys(total)) total[key] += counts[key];
}
keepCounts("matrix", total);
process.exit(total.failed === 0 ? 0 : 1);
