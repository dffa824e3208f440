import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const root = join(import.meta.dirname, "../..");
const tracked = execFileSync("git", ["ls-files", "-co", "--exclude-standard"], {
  cwd: root,
  encoding: "utf8",
})
  .trim()
  .split("\n")
  .filter((file) => existsSync(join(root, file)));
const sources = tracked.filter((file) => /^(packages|apps)\/[^/]+\/src\/.*\.tsx?$/.test(file));
const read = (file: string) => readFileSync(join(root, file), "utf8");
const lineCount = (file: string) => read(file).split("\n").length - 1;
const packages = readdirSync(join(root, "packages")).filter((p) =>
  existsSync(join(root, "packages", p, "package.json")),
);

describe("the tree", () => {
  it("has no source file over 300 lines", () => {
    expect(sources.filter((file) => lineCount(file) > 300)).toEqual([]);
  });

  it("has small files: the median is at most 120 lines", () => {
    const counts = sources.map(lineCount).sort((a, b) => a - b);
    expect(counts[Math.floor(counts.length / 2)]).toBeLessThanOrEqual(120);
  });

  it("has no grab-bag file names", () => {
    expect(sources.filter((file) => /\/(utils?|helpers?|misc|common|types)(\.tsx?|\/)/.test(file))).toEqual(
      [],
    );
  });

  it("leaves nothing for later: no notes to self, no silenced types, no skipped tests", () => {
    const words =
      /\b(TODO|FIXME|XXX)\b|@ts-ignore|@ts-nocheck|\bas any\b(?! \w)|\b(it|test|describe)\.(skip|only|todo)\(/;
    const code = tracked.filter((f) => /^(packages|apps)\/.*\.tsx?$/.test(f));
    expect(code.filter((file) => words.test(read(file)))).toEqual([]);
  });

  it("exports by name only: no `export *`", () => {
    expect(sources.filter((file) => /^export \*/m.test(read(file)))).toEqual([]);
  });
});

describe("every package", () => {
  it.each(packages)("%s has a README with an example, a licence and tests", (name) => {
    const directory = join(root, "packages", name);
    expect(existsSync(join(directory, "LICENSE"))).toBe(true);
    expect(read(`packages/${name}/README.md`)).toMatch(/```ts\n/);
    expect(readdirSync(join(directory, "test")).some((file) => file.endsWith(".test.ts"))).toBe(true);
  });

  it.each(packages)("%s imports only packages that it declares, and only downwards", (name) => {
    const manifest = JSON.parse(read(`packages/${name}/package.json`)) as Record<
      string,
      Record<string, string>
    >;
    const declared = new Set([
      ...Object.keys(manifest.dependencies ?? {}),
      ...Object.keys(manifest.optionalDependencies ?? {}),
      ...Object.keys(manifest.peerDependencies ?? {}),
    ]);
    const imported = sources
      .filter((file) => file.startsWith(`packages/${name}/`))
      .flatMap((file) =>
        [...read(file).matchAll(/(?:\bfrom |\bimport\()"([^".\s][^"\s]*)"/g)].map((m) => m[1] as string),
      )
      .map((specifier) => specifier.match(/^(@[^/]+\/[^/]+|[^/]+)/)?.[1] as string)
      .filter((specifier) => !specifier.startsWith("node:"));
    expect([...new Set(imported)].filter((specifier) => !declared.has(specifier))).toEqual([]);
  });
});

describe("the error index", () => {
  it("lists exactly the codes that the packages use", () => {
    const used = new Set(
      sources
        .filter((file) => file.startsWith("packages/"))
        .flatMap((file) => [...read(file).matchAll(/"(CKPT_[A-Z_]+)"/g)].map((m) => m[1] as string)),
    );
    const listed = new Set(
      [...read("docs/errors.md").matchAll(/^\| `(CKPT_[A-Z_]+)`/gm)].map((m) => m[1] as string),
    );
    expect([...listed].sort()).toEqual([...used].sort());
  });
});
