// `npm run release`: publishes what `changeset version` has prepared. With `--dry-run`: versions, changelogs and tarballs are
// produced from a copy of the committed tree into `release-dry-run/`, and nothing is published.
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pack } from "./pack.mjs";
import { root, run } from "./steps.mjs";
import { publishedPackages } from "./workspace.mjs";

if (!process.argv.includes("--dry-run")) {
  process.exit(run("publishing (changeset publish)", "changeset", ["publish"]) ? 0 : 1);
}

const copy = mkdtempSync(join(tmpdir(), "ckpt-release-"));
const out = join(root, "release-dry-run");
rmSync(out, { recursive: true, force: true });
let failed = 0;
try {
  execFileSync("git", ["clone", "--quiet", "--local", root, copy], { stdio: "inherit" });
  execFileSync(
    "pnpm",
    ["install", "--frozen-lockfile", "--prefer-offline", "--reporter=append-only", "--loglevel=warn"],
    { cwd: copy, stdio: "inherit" },
  );
  execFileSync("pnpm", ["exec", "changeset", "version"], { cwd: copy, stdio: "inherit" });
  for (const { directory, manifest } of publishedPackages(copy)) {
    const name = manifest.name.split("/")[1];
    cpSync(join(root, "packages", name, "dist"), join(directory, "dist"), { recursive: true });
    const tarball = pack(directory, manifest, out);
    const changelog = join(directory, "CHANGELOG.md");
    if (existsSync(changelog)) cpSync(changelog, join(out, `${name}-CHANGELOG.md`));
    failed += tarball.problems.length;
    console.log(`${manifest.name} ${tarball.version}: ${tarball.files} files, ${tarball.path}`);
    for (const problem of tarball.problems) console.log(`  ${problem}`);
  }
} finally {
  rmSync(copy, { recursive: true, force: true });
}
console.log(failed === 0 ? `dry run: nothing was published; see ${out}` : `${failed} problems`);
process.exit(failed === 0 ? 0 : 1);
