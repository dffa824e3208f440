/** Bundles the subject from the sources of the packages, with passages replaced. */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { Plugin } from "esbuild";
import type { Edit } from "./mutant.js";

/** An edit that cannot be made: the code has changed, and the mutant must be written anew. */
export class DoesNotApply extends Error {}

function applied(source: string, edit: Edit): string {
  const count = source.split(edit.find).length - 1;
  if (count !== 1) throw new DoesNotApply(`the passage stands ${count} times in ${edit.file}: ${edit.find}`);
  return source.replace(edit.find, () => edit.replace);
}

function mutating(root: string, edits: readonly Edit[]): Plugin {
  const byPath = new Map<string, Edit[]>();
  for (const edit of edits) {
    const path = join(root, edit.file);
    byPath.set(path, [...(byPath.get(path) ?? []), edit]);
  }
  return {
    name: "mutating",
    setup(build) {
      build.onLoad({ filter: /\.ts$/ }, async ({ path }) => {
        const mine = byPath.get(path);
        if (mine === undefined) return undefined;
        return { contents: mine.reduce(applied, await readFile(path, "utf8")), loader: "ts" };
      });
      build.onResolve({ filter: /^fs-native-extensions$/ }, ({ resolveDir }) => ({
        path: createRequire(join(resolveDir, "here.js")).resolve("fs-native-extensions"),
        external: true,
      }));
    },
  };
}

/** Writes the subject to `file`. Rejects with {@link DoesNotApply}, also when an edited file is no part of it. */
export async function buildSubject(root: string, edits: readonly Edit[], file: string): Promise<void> {
  for (const edit of edits) applied(await readFile(join(root, edit.file), "utf8"), edit);
  // Loaded at the first need: the other scenarios do not use it.
  const { build } = await import("esbuild");
  const { metafile } = await build({
    entryPoints: [join(root, "apps/validation/src/sensitivity/subject.ts")],
    outfile: file,
    absWorkingDir: root,
    bundle: true,
    platform: "node",
    format: "cjs",
    target: "node20",
    conditions: ["@ckpt/source"],
    metafile: true,
    logLevel: "silent",
    plugins: [mutating(root, edits)],
  });
  for (const { file: edited } of edits)
    if (metafile.inputs[edited] === undefined)
      throw new DoesNotApply(`${edited} is not part of what is tested`);
}

/** The root of the repository, found from a directory inside it. */
export async function repositoryRoot(from: string): Promise<string> {
  for (let at = from; ; at = dirname(at)) {
    const text = await readFile(join(at, "pnpm-workspace.yaml"), "utf8").catch(() => undefined);
    if (text !== undefined) return at;
    if (at === dirname(at)) throw new Error(`${from} is not inside of the repository`);
  }
}
