import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { join, relative, resolve, sep } from "node:path";
import { CkptError } from "@ckpt/errors";
import { writeAtomic } from "@ckpt/io";

/**
 * The scratch working copy: a directory of files that the agent may change. The truth is `drafts` in the agent's state;
 * {@link follow} makes the directory equal to it. So when a state is restored, the files go back with it.
 */
export class Workshop {
  readonly directory: string;

  constructor(directory: string) {
    this.directory = resolve(directory);
  }

  async read(path: string): Promise<string> {
    return await readFile(this.#inside(path), "utf8");
  }

  async write(path: string, text: string): Promise<void> {
    await writeAtomic(this.#inside(path), Buffer.from(text));
  }

  /** Makes the directory hold exactly `drafts`. Only files in the working copy, all made by the agent, are touched. */
  async follow(drafts: ReadonlyMap<string, string>): Promise<void> {
    await mkdir(this.directory, { recursive: true, mode: 0o700 });
    for (const path of await this.#files(this.directory)) {
      if (!drafts.has(path)) await rm(this.#inside(path));
    }
    for (const [path, text] of drafts) {
      const there = await this.read(path).catch(() => undefined);
      if (there !== text) await this.write(path, text);
    }
  }

  /** What is on disk now: path → text. */
  async contents(): Promise<Map<string, string>> {
    await mkdir(this.directory, { recursive: true, mode: 0o700 });
    const found = new Map<string, string>();
    for (const path of await this.#files(this.directory)) found.set(path, await this.read(path));
    return found;
  }

  async #files(directory: string): Promise<string[]> {
    const found: string[] = [];
    for (const entry of await readdir(directory, { withFileTypes: true })) {
      const path = join(directory, entry.name);
      if (entry.isDirectory()) found.push(...(await this.#files(path)));
      else found.push(relative(this.directory, path).split(sep).join("/"));
    }
    return found;
  }

  #inside(path: string): string {
    const target = resolve(this.directory, path);
    if (path.includes("\0") || !target.startsWith(this.directory + sep)) {
      throw new CkptError("CKPT_NO_PERMISSION", {
        message: `${JSON.stringify(path)} is outside the working copy.`,
        hint: "Use the path under which the file was copied in.",
        details: { path },
      });
    }
    return target;
  }
}
