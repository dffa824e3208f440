import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { CkptError } from "@ckpt/errors";
import { toCkptError } from "@ckpt/io";
import type { Task } from "./state.js";

const MAX_TASK_BYTES = 64 * 1024;
const MAX_FILES = 1_000;

/**
 * A directory whose files are tasks. Files are only read: never moved, never deleted. Which ones were taken is part of
 * the agent's state, so a crash between "taken" and "done" can neither lose nor repeat one.
 */
export class Mailbox {
  readonly directory: string;

  constructor(directory: string) {
    this.directory = directory;
  }

  async open(): Promise<void> {
    await mkdir(this.directory, { recursive: true, mode: 0o700 });
  }

  /**
   * Tasks that are not in `taken`, by file name. Hidden files, directories and files above 64 KiB are passed over. A file
   * that was changed since it was taken is a new task.
   */
  async collect(taken: ReadonlySet<string>): Promise<Task[]> {
    const tasks: Task[] = [];
    const entries = await readdir(this.directory, { withFileTypes: true }).catch((cause: unknown) => {
      throw toCkptError(cause, { doing: "read the mailbox", path: this.directory });
    });
    if (entries.length > MAX_FILES) {
      throw new CkptError("CKPT_LIMIT", {
        message: `The mailbox ${this.directory} holds ${entries.length} files; at most ${MAX_FILES} are read.`,
        hint: "Move finished tasks elsewhere.",
      });
    }
    const names = entries
      .filter((entry) => entry.isFile() && !entry.name.startsWith("."))
      .map((entry) => entry.name);
    for (const name of names.sort()) {
      const path = join(this.directory, name);
      const facts = await stat(path).catch(() => undefined);
      if (facts === undefined || facts.size === 0 || facts.size > MAX_TASK_BYTES) continue;
      const text = (await readFile(path, "utf8")).trim();
      const id = `${name}:${createHash("sha256").update(text).digest("hex").slice(0, 8)}`;
      if (text !== "" && !taken.has(id)) tasks.push({ id, text, receivedAt: new Date() });
    }
    return tasks;
  }
}
