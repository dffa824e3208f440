import { createHash } from "node:crypto";
import { lstat, readdir, readFile, readlink } from "node:fs/promises";
import { join } from "node:path";
import { isCkptError } from "@ckpt/errors";

/** What became of one hostile input; `failure` says what is wrong. */
export interface HostileResult {
  readonly input: string;
  readonly failure?: string | undefined;
}

/** Everything below a directory as one text: names, kinds and contents. Two that are equal hold the same. */
export async function fingerprint(directory: string): Promise<string> {
  const lines: string[] = [];
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) lines.push(`${path}/`, await fingerprint(path));
    else if (entry.isSymbolicLink()) lines.push(`${path} -> ${await readlink(path)}`);
    else
      lines.push(
        `${path} ${createHash("sha256")
          .update(await readFile(path))
          .digest("hex")}`,
      );
  }
  return lines.sort().join("\n");
}

/** Runs calls that may only succeed or reject with a typed error; undefined, or what went wrong. */
export async function onlyTyped(what: string, call: () => Promise<unknown>): Promise<string | undefined> {
  try {
    await call();
    return undefined;
  } catch (error) {
    if (isCkptError(error)) return undefined;
    return `${what} threw ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
  }
}

const prototypes = [Object.prototype, Array.prototype, Function.prototype, String.prototype];
const untouched = prototypes.map((prototype) => Reflect.ownKeys(prototype).length);

/** Whether something was put on a prototype that all objects share. */
export function polluted(): string | undefined {
  const changed = prototypes.some((prototype, i) => Reflect.ownKeys(prototype).length !== untouched[i]);
  const seen = ({} as Record<string, unknown>).polluted !== undefined;
  return changed || seen ? "a prototype was changed" : undefined;
}

export const exists = (path: string): Promise<boolean> =>
  lstat(path).then(
    () => true,
    () => false,
  );
