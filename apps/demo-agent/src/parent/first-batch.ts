import { CkptError } from "@ckpt/errors";
import { between, random } from "../shared/random.js";
import type { Sandbox } from "../tools/sandbox.js";

/** A file for the mailbox. */
export interface Letter {
  readonly name: string;
  readonly text: string;
}

interface TextFile {
  readonly path: string;
  readonly text: string;
}

const OUTLINES = 11;
const FINDS = 4;
const COUNTS = 2;
const SMALL_FILE = 8_000;
const IDENTIFIER = /\b[a-z]+(?:[A-Z][a-z]+)+\b|\b[A-Z][a-z]+(?:[A-Z][a-z]+)+\b/g;

/**
 * Makes tasks out of what is in the folder, the same for the same files and seed: outlines, counts, searches, one edit plan of
 * which one edit cannot work, and one search for a name that nobody uses. Throws `CKPT_NOT_FOUND` when the folder has no text.
 */
export async function firstBatch(folder: Sandbox, seed: number): Promise<Letter[]> {
  const draw = random(seed, 1);
  const files = shuffled(await readAll(folder), draw);
  if (files.length === 0) {
    throw new CkptError("CKPT_NOT_FOUND", {
      message: "The folder holds no text files that the tools can read.",
      hint: "Name another one with --folder.",
    });
  }
  const names = identifiers(files.slice(0, 12));
  const worthwhile = [...files].sort((a, b) => dullness(a) - dullness(b));
  const outlines = worthwhile.slice(0, OUTLINES).map((file) => `Outline ${file.path}`);
  const finds = shuffled(names, draw)
    .slice(0, FINDS)
    .map((name) => `Find "${name}"`);
  const counts: string[] = [];
  for (const file of files.slice(0, COUNTS)) {
    const [name] = shuffled(identifiers([file]), draw);
    if (name !== undefined) counts.push(`Count "${name}" in ${directoryOf(file)}`);
  }
  const plan = editPlan(files);
  const misremembered = unusedName(files, names, draw);
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

/** Every file with text in it; one that may not be read is left out. */
async function readAll(folder: Sandbox): Promise<TextFile[]> {
  const files: TextFile[] = [];
  for (const { path } of await folder.list()) {
    const text = await folder.read(path).catch(() => "");
    if (text.trim() !== "") files.push({ path, text });
  }
  return files;
}

/** Small files and tests are less worth an outline; the sort keeps the drawn order otherwise. */
const dullness = ({ path, text }: TextFile): number =>
  (text.length < 1_500 ? 2 : 0) + (/(?:^|\/)(?:test|tests|fixtures)\//.test(path) ? 1 : 0);

/** Names in camel case that the files use; where there are none, longer words. */
function identifiers(files: readonly TextFile[]): string[] {
  const found = new Set<string>();
  const words = new Set<string>();
  for (const { text } of files) {
    for (const name of text.match(IDENTIFIER) ?? []) if (name.length <= 40) found.add(name);
    for (const word of text.match(/[A-Za-z]{5,20}/g) ?? []) words.add(word);
  }
  return [...(found.size > 0 ? found : words)].sort();
}

/** A name close to a real one that is in no file: what an agent misremembers. */
function unusedName(files: readonly TextFile[], names: readonly string[], draw: () => number): string {
  const base = names.length === 0 ? "Text" : names[between(draw, 0, names.length - 1)]!;
  for (let attempt = 0; ; attempt++) {
    const name = `mis${base[0]!.toUpperCase()}${base.slice(1)}${attempt === 0 ? "" : attempt}`;
    if (!files.some(({ text }) => text.includes(name))) return name;
  }
}

/** Three edits, of which the second looks for a line that is not there. */
function editPlan(files: readonly TextFile[]): string | undefined {
  const targets: { path: string; line: string }[] = [];
  for (const { path, text } of files) {
    if (text.length > SMALL_FILE || targets.length === 3) continue;
    const line = text.split("\n").find((candidate) => candidate.trim().length >= 12);
    if (line !== undefined) targets.push({ path, line: line.trim() });
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

function directoryOf({ path }: TextFile): string {
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
