import { join } from "node:path";
import { toCkptError } from "./classify.js";
import { isErrno } from "./errno.js";
import type { FileSystem } from "./file-system.js";
import { nodeFileSystem } from "./node-file-system.js";
import { notNegative } from "./not-negative.js";
import { isOwnTempName, isTempName } from "./temp-name.js";

/** Options of {@link removeStaleTemps}. */
export interface RemoveStaleTempsOptions {
  /** The file system; default: this machine's. */
  readonly fs?: FileSystem;
  /**
   * Leave files that changed within so many milliseconds by the system's clock, from 0 on: another process may be writing one.
   * Default one hour. 0 removes all, for those who know that nobody writes here.
   */
  readonly olderThanMs?: number;
}

/**
 * Removes the temporary files that crashed writers left in `directory` (not below it). Resolves to their names. Those of this
 * process stay whatever their age, unless `olderThanMs` is 0. When the clock jumps forward, a file that another process is writing
 * looks old: `writeAtomic` there writes it anew, another writer fails and changes nothing.
 *
 * Throws `CKPT_NOT_FOUND`, `CKPT_NO_PERMISSION`, `CKPT_IO`, `CKPT_INVALID_ARGUMENT`.
 */
export async function removeStaleTemps(
  directory: string,
  options: RemoveStaleTempsOptions = {},
): Promise<string[]> {
  const { fs = nodeFileSystem } = options;
  const olderThanMs = notNegative(options.olderThanMs ?? 3_600_000, "olderThanMs");
  const removed: string[] = [];
  try {
    for (const name of await fs.readdir(directory)) {
      if (!isTempName(name) || (olderThanMs > 0 && isOwnTempName(name))) continue;
      const path = join(directory, name);
      const found = await fs.stat(path);
      if (found?.kind !== "file" || Date.now() - found.mtimeMs < olderThanMs) continue;
      const gone = await fs.unlink(path).then(
        () => true,
        (error: unknown) => {
          if (isErrno(error, "ENOENT")) return false;
          throw error;
        },
      );
      if (gone) removed.push(name);
    }
  } catch (error) {
    throw toCkptError(error, { doing: "remove temporary files in", path: directory });
  }
  return removed;
}
