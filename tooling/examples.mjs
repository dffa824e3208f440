// Runs the first TypeScript block of a README, as printed, in a project that has the packages installed.
import { spawnSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";

export function firstExample(readme) {
  return readFileSync(readme, "utf8").match(/```ts\n([\s\S]*?)```/)?.[1];
}

/** All TypeScript blocks of a page that are whole programs, with the heading that each stands under. */
export function programs(page) {
  return readFileSync(page, "utf8")
    .split(/^## /m)
    .slice(1)
    .flatMap((section) => {
      const source = section.match(/```ts\n([\s\S]*?)```/)?.[1];
      return source ? [{ title: section.split("\n")[0], source }] : [];
    });
}

/** What the compiler has to say to programs of a project, each under its title, with the strictness that the packages promise to stand. */
export function typeErrors(project, root, sources) {
  const titles = new Map();
  for (const [i, { title, source }] of sources.entries()) {
    const file = join(project, `checked-${i}.mts`);
    writeFileSync(file, source);
    titles.set(file, title);
  }
  const program = ts.createProgram([...titles.keys()], {
    module: ts.ModuleKind.NodeNext,
    target: ts.ScriptTarget.ES2022,
    lib: ["lib.es2022.d.ts", "lib.esnext.disposable.d.ts"],
    strict: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: false,
    noEmit: true,
    types: ["node"],
    typeRoots: [join(root, "node_modules/@types")],
  });
  return ts.getPreEmitDiagnostics(program).map(({ file, start, messageText }) => {
    const at = file && start !== undefined ? `${file.getLineAndCharacterOfPosition(start).line + 1}: ` : "";
    const where = titles.get(file?.fileName) ?? file?.fileName ?? "";
    return `${where}:${at}${ts.flattenDiagnosticMessageText(messageText, "\n")}`;
  });
}

/** Null when the example ran to its end, otherwise what it printed. */
export function runExample(source, project, name) {
  const compilerOptions = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 };
  const { outputText } = ts.transpileModule(source, { compilerOptions, reportDiagnostics: true });
  const usesVitest = /from "(vitest|@ckpt\/conformance)"/.test(source);
  rmSync(join(project, ".ckpt"), { recursive: true, force: true }); // no example goes on from another's
  const file = join(project, usesVitest ? `${name}.test.mjs` : `${name}.mjs`);
  writeFileSync(file, outputText);
  const args = usesVitest ? ["node_modules/vitest/vitest.mjs", "run", "--globals", file] : [file];
  const result = spawnSync(process.execPath, args, { cwd: project, encoding: "utf8", timeout: 120_000 });
  return result.status === 0 ? null : `${result.stdout}\n${result.stderr}`.trim();
}
