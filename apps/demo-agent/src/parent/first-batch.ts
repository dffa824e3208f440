import { CkptError } from "@ckpt/errors";
import { between, random } from "../shared/random.js";
import type { FolderEntry, Sandbox } from "../tools/sandbox.js";

/** A file for the mailbox. */
export interface Letter {
  readonly name: string;
  readonly text: string;
}

const OUTLINES = 11;
const FINDS = 4;
const COUNTS = 2;
const SMALL_BYTES = 8_000;
const IDENTIFIER = /\b[a-z]+(?:[A-Z][a-z]+)+\b|\b[A-Z][a-z]+(?:[A-Z][a-z]+)+\b/g;

/**
 * Makes tasks out of what is in the folder, the same for the same files and seed: outlines, counts, searches, one edit plan of
 * which one edit cannot work, and one search for a name that nobody uses. Throws `CKPT_NOT_FOUND` when the folder has no text.
 */
export async function firstBatch(folder: Sandbox, seed: number): Promise<Letter[]> {
  const draw = random(seed, 1);
  const files = shuffled(
    (await folder.list()).filter((file) => file.bytes > 0),
    draw,
  );
  if (files.length === 0) {
    throw new CkptError("CKPT_NOT_FOUND", {
      message: "The folder holds no text files that the tools can read.",
      hint: "Name another one with --folder.",
    });
  }
  const names = await identifiers(folder, files.slice(0, 12));
  const worthwhile = [...files].sort((a, b) => dullness(a) - dullness(b));
  const outlines = worthwhile.slice(0, OUTLINES).map((file) => `Outline ${file.path}`);
  const finds = shuffled(names, draw)
    .slice(0, FINDS)
    .map((name) => `Find "${name}"`);
  const counts: string[] = [];
  for (const file of files.slice(0, COUNTS)) {
    const [name] = shuffled(await identifiers(folder, [file]), draw);
    if (name !== undefined) counts.push(`Count "${name}" in ${directoryOf(file)}`);
  }
  const plan = await editPlan(folder, files);
  const misremembered = await unusedName(folder, files, names, draw);
  const texts = [
    ...outlines.slice(0, 3),
    ...finds.slice(0, 2),
    ...(plan === undefined ? [] : [plan]),
    ...counts.slice(0, 1),
    ...outlines.slice(3, 6),
    `Find "${misremembered}"`,
    ...outlines.slice(6),
    ...finds.slice(2),
    ...counts.slice(1),
  ];
  return texts.map((text, index) => ({
    name: `${String(index + 1).padStart(3, "0")}-${slug(text)}.txt`,
    text,
  }));
}

/** Small files and tests are less worth an outline; the sort keeps the drawn order otherwise. */
const dullness = ({ path, bytes }: FolderEntry): number =>
  (bytes < 1_500 ? 2 : 0) + (/(?:^|\/)(?:test|tests|fixtures)\//.test(path) ? 1 : 0);

/** Names in camel case that the files use; where there are none, longer words. */
async function identifiers(folder: Sandbox, files: readonly FolderEntry[]): Promise<string[]> {
  const found = new Set<string>();
  const words = new Set<string>();
  for (const file of files) {
    const text = await folder.read(file.path);
    for (const name of text.match(IDENTIFIER) ?? []) if (name.length <= 40) found.add(name);
    for (const word of text.match(/[A-Za-z]{5,20}/g) ?? []) words.add(word);
  }
  const names = [...found].sort();
  return names.length > 0 ? names : [...words].sort();
}

/** A name close to a real one that is in no file: what an agent misremembers. */
async function unusedName(
  folder: Sandbox,
  files: readonly FolderEntry[],
  names: readonly string[],
  draw: () => number,
): Promise<string> {
  const texts: string[] = [];
  for (const file of files) texts.push(await folder.read(file.path));
  const base = names.length === 0 ? "Text" : names[between(draw, 0, names.length - 1)]!;
  for (let attempt = 0; ; attempt++) {
    const name = `mis${base[0]!.toUpperCase()}${base.slice(1)}${attempt === 0 ? "" : attempt}`;
    if (!texts.some((text) => text.includes(name))) return name;
  }
}

/** Three edits, of which the second looks for a line that is not there. */
async function editPlan(folder: Sandbox, files: readonly FolderEntry[]): Promise<string | undefined> {
  const small = files.filter((file) => file.bytes <= SMALL_BYTES).slice(0, 20);
  const targets: { path: string; line: string }[] = [];
  for (const { path } of small) {
    const line = (await folder.read(path)).split("\n").find((candidate) => candidate.trim().length >= 12);
    if (line !== undefined) targets.push({ path, line: line.trim() });
    if (targets.length === 3) break;
  }
  const [first, second = first, third = first] = targets;
  if (first === undefined || second === undefined || third === undefined) return undefined;
  const edits = [
    { path: first.path, find: first.line, replace: `${first.line} [edited 1]` },
    { path: second.path, find: `${second.line} [never written]`, replace: "" },
    { path: third.path, find: third.line, replace: `${third.line} [edited 3]` },
  ];
  return `Apply this edit plan in the working copy:\n${JSON.stringify({ edits }, null, 2)}`;
}

function directoryOf({ path }: FolderEntry): string {
  const end = path.lastIndexOf("/");
  return end === -1 ? "." : path.slice(0, end);
}

function shuffled<T>(items: readonly T[], draw: () => number): T[] {
  const copy = [...items];
  for (let i = copy.length - 1; i > 0; i--) {
    const j = between(draw, 0, i);
    [copy[i], copy[j]] = [copy[j]!, copy[i]!];
  }
  return copy;
}

const slug = (text: string): string =>
  text
    .toLowerCase()
    .split("\n", 1)[0]!
    .replace(/[^a-z0-9]+/g, "-")
    .slice(0, 40)
    .replace(/-+$/, "");
