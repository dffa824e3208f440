import { lstat, readdir, readFile, realpath, stat } from "node:fs/promises";
import { isAbsolute, join, relative, resolve, sep } from "node:path";
import { CkptError } from "@ckpt/errors";

const SKIPPED_DIRECTORIES = new Set(["node_modules", "dist", "coverage"]);
const TEXT_FILE =
  /\.(?:md|markdown|txt|rst|ts|tsx|mts|cts|js|jsx|mjs|cjs|json|ya?ml|toml|py|go|rs|java|c|h|cc|cpp|sql|sh|css|html)$/i;
const MAX_FILES = 2_000;
const MAX_DEPTH = 12;
const MAX_FILE_BYTES = 1_000_000;
/** A search reads what is listed: so much, and no more. */
const MAX_LISTED_BYTES = 24_000_000;

export interface FolderEntry {
  /** Relative to the folder, with forward slashes. */
  readonly path: string;
  readonly bytes: number;
}

/**
 * One folder that the agent's tools may read, and nothing outside it: absolute paths, `..` and symbolic links that lead
 * out are refused with `CKPT_NO_PERMISSION`.
 */
export class Sandbox {
  readonly #root: string;

  private constructor(root: string) {
    this.#root = root;
  }

  /** Throws `CKPT_NOT_FOUND` when `folder` is not a directory. */
  static async open(folder: string): Promise<Sandbox> {
    const facts = await stat(folder).catch((cause: unknown) => {
      throw notFound(folder, cause);
    });
    if (!facts.isDirectory()) throw notFound(folder);
    return new Sandbox(await realpath(folder));
  }

  /** The real path of `path`, proven to be inside the folder. */
  async resolve(path: string): Promise<string> {
    if (path.includes("\0") || isAbsolute(path)) throw outside(path);
    const wanted = resolve(this.#root, path);
    if (!this.#holds(wanted)) throw outside(path);
    const real = await realpath(wanted).catch((cause: unknown) => {
      throw notFound(path, cause);
    });
    if (!this.#holds(real)) throw outside(path);
    return real;
  }

  /** The text of a file of at most 1 MB. */
  async read(path: string): Promise<string> {
    const real = await this.resolve(path);
    const facts = await stat(real);
    if (!facts.isFile()) throw notFound(path);
    if (facts.size > MAX_FILE_BYTES) {
      throw new CkptError("CKPT_LIMIT", {
        message: `${path} has ${facts.size} bytes; the tools read files of at most ${MAX_FILE_BYTES}.`,
        details: { path, bytes: facts.size },
      });
    }
    return await readFile(real, "utf8");
  }

  /** Text files under `path`, sorted; hidden, generated and linked ones are left out. The first 2,000 files or 24 MB. */
  async list(path = "."): Promise<FolderEntry[]> {
    const found: FolderEntry[] = [];
    const real = await this.resolve(path);
    if ((await stat(real)).isFile()) return [{ path: this.#name(real), bytes: (await stat(real)).size }];
    await this.#walk(real, 0, found, { bytes: MAX_LISTED_BYTES });
    return found;
  }

  async #walk(
    directory: string,
    depth: number,
    found: FolderEntry[],
    left: { bytes: number },
  ): Promise<void> {
    const entries = await readdir(directory, { withFileTypes: true }).catch((error: unknown) => {
      // A folder below that may not be read is none of the agent's business.
      if (depth > 0) return [];
      throw error;
    });
    entries.sort((a, b) => (a.name < b.name ? -1 : 1));
    for (const entry of entries) {
      if (found.length >= MAX_FILES || left.bytes < 0) return;
      if (entry.name.startsWith(".")) continue;
      const path = join(directory, entry.name);
      if (entry.isDirectory()) {
        if (depth < MAX_DEPTH && !SKIPPED_DIRECTORIES.has(entry.name))
          await this.#walk(path, depth + 1, found, left);
      } else if (entry.isFile() && TEXT_FILE.test(entry.name)) {
        // Files come and go while we walk: one that vanished is not there.
        const facts = await lstat(path).catch(() => undefined);
        if (!facts?.isFile() || facts.size > MAX_FILE_BYTES) continue;
        left.bytes -= facts.size;
        if (left.bytes < 0) return;
        found.push({ path: this.#name(path), bytes: facts.size });
      }
    }
  }

  #holds(path: string): boolean {
    return path === this.#root || path.startsWith(this.#root.endsWith(sep) ? this.#root : this.#root + sep);
  }

  #name(path: string): string {
    return relative(this.#root, path).split(sep).join("/");
  }
}

function outside(path: string): CkptError {
  return new CkptError("CKPT_NO_PERMISSION", {
    message: `${JSON.stringify(path)} is outside the agent's folder.`,
    hint: "Give a path relative to the folder, without leaving it.",
    details: { path },
  });
}

function notFound(path: string, cause?: unknown): CkptError {
  return new CkptError("CKPT_NOT_FOUND", {
    message: `There is no such file or folder: ${JSON.stringify(path)}.`,
    hint: "List the folder to see what there is.",
    cause,
    details: { path },
  });
}
