// Each published package is packed, installed from its tarball into an empty project, imported from ESM and from
// CommonJS, and its README's example is run there as printed.
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { firstExample, programs, runExample, typeErrors } from "./examples.mjs";
import { pack } from "./pack.mjs";
import { keepCounts, root } from "./steps.mjs";
import { closure, publishedPackages } from "./workspace.mjs";

const packages = publishedPackages();
const work = mkdtempSync(join(tmpdir(), "ckpt-tarballs-"));
const counts = { passed: 0, failed: 0, skipped: 0 };
const report = (label, problem) => {
  counts[problem ? "failed" : "passed"] += 1;
  console.log(`  ${problem ? "FAILED" : "ok    "} ${label}${problem ? `\n${problem}` : ""}`);
};

function install(name, tarballs) {
  const project = mkdtempSync(join(work, "project-"));
  const dependencies = Object.fromEntries(
    [...closure(packages, name)].map((n) => [n, `file:${tarballs.get(n)}`]),
  );
  if (name === "@ckpt/conformance") dependencies.vitest = "4.1.12";
  writeFileSync(
    join(project, "package.json"),
    JSON.stringify({ name: "empty", private: true, dependencies }),
  );
  execFileSync("npm", ["install", "--prefer-offline", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: project,
    stdio: "inherit",
  });
  return project;
}

function imports(name, project, body, flag) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [`--input-type=${flag}`, "-e", body(name)], {
    cwd: project,
    encoding: "utf8",
  });
  return status === 0 ? null : `${stdout}${stderr}`;
}

const esm = (name) =>
  `const m = await import(${JSON.stringify(name)}); if (Object.keys(m).length === 0) throw new Error("no exports");`;
const cjs = (name) =>
  `const m = require(${JSON.stringify(name)}); if (Object.keys(m).length === 0) throw new Error("no exports");`;

try {
  const tarballs = new Map();
  for (const { directory, manifest } of packages) {
    const tarball = pack(directory, manifest, work);
    tarballs.set(manifest.name, tarball.path);
    report(`${manifest.name} tarball holds ${tarball.files} files`, tarball.problems.join("\n"));
  }
  for (const { directory, manifest } of packages) {
    const project = install(manifest.name, tarballs);
    for (const path of Object.keys(manifest.exports)) {
      // The suites can only be imported by vitest, which runs them: their example below.
      if (path === "./package.json" || (path === "." && manifest.peerDependencies?.vitest)) continue;
      const name = manifest.name + path.slice(1);
      report(`${name} imports from ESM`, imports(name, project, esm, "module"));
      report(`${name} requires from CommonJS`, imports(name, project, cjs, "commonjs"));
    }
    const readme = join(directory, "README.md");
    const example = existsSync(readme) ? firstExample(readme) : undefined;
    report(
      `${manifest.name} README example runs`,
      example ? runExample(example, project, "example") : "no ```ts example in the README",
    );
    if (manifest.name === "@ckpt/resilient") {
      report(
        "the root README's program runs",
        runExample(firstExample(join(root, "README.md")), project, "root"),
      );
      const recipes = programs(join(root, "docs", "cookbook.md"));
      for (const [i, { title, source }] of recipes.entries())
        report(`cookbook: ${title}`, runExample(source, project, `recipe-${i}`));
      const readme = { title: "README", source: firstExample(join(root, "README.md")) };
      const errors = typeErrors(project, root, [readme, ...recipes]);
      report("the root README's program and the cookbook compile, strictly", errors.join("\n"));
    }
    rmSync(project, { recursive: true, force: true });
  }
} finally {
  rmSync(work, { recursive: true, force: true });
}
keepCounts("packages", counts);
process.exit(counts.failed === 0 ? 0 : 1);
