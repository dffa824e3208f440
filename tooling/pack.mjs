// Packs published packages to tarballs and checks that each holds only what it should.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";

const allowed = [
  /^package\/(package\.json|README\.md|LICENSE|CHANGELOG\.md)$/,
  /^package\/dist\/[\w.-]+\.(js|cjs|d\.ts|d\.cts)$/,
  /^package\/src\/[\w./-]+\.ts$/,
];
const required = [
  "package/package.json",
  "package/README.md",
  "package/LICENSE",
  "package/dist/index.js",
  "package/dist/index.cjs",
  "package/dist/index.d.ts",
  "package/dist/index.d.cts",
];

/** Resolves to { name, version, path, problems } of the tarball. */
export function pack(directory, manifest, out) {
  mkdirSync(out, { recursive: true });
  execFileSync("pnpm", ["pack", "--pack-destination", out], {
    cwd: directory,
    stdio: ["ignore", "ignore", "inherit"],
  });
  const path = join(out, `${manifest.name.replace("@", "").replace("/", "-")}-${manifest.version}.tgz`);
  if (!existsSync(path)) throw new Error(`pnpm pack wrote no ${path}`);
  const files = execFileSync("tar", ["-tzf", path], { encoding: "utf8" }).trim().split("\n");
  const packed = JSON.parse(
    execFileSync("tar", ["-xzOf", path, "package/package.json"], { encoding: "utf8" }),
  );
  const problems = [
    ...files
      .filter((f) => !allowed.some((pattern) => pattern.test(f)))
      .map((f) => `should not be in the tarball: ${f}`),
    ...required.filter((f) => !files.includes(f)).map((f) => `missing from the tarball: ${f}`),
    ...Object.entries(packed.dependencies ?? {})
      .filter(([, range]) => range.startsWith("workspace:"))
      .map(([name]) => `unresolved workspace range: ${name}`),
  ];
  return { name: manifest.name, version: manifest.version, path, files: files.length, problems };
}
