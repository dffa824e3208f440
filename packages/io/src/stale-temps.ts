import { join } from "node:path";
import { toCkptError } from "./classify.js";
import { isErrno } from "./errno.js";
import type { FileSystem } from "./file-system.js";
import { nodeFileSystem } from "./node-file-system.js";
import { isTempName } from "./temp-name.js";

/** Options of {@link removeStaleTemps}. */
export interface RemoveStaleTempsOptions {
  /** The file system; default: this machine's. */
  readonly fs?: FileSystem;
  /**
   * Leave files that changed within so many milliseconds: another process may be writing one. Default one hour. 0 removes
   * all, for those who know that nobody else writes here; a writer that loses its file fails and changes nothing.
   */
  readonly olderThanMs?: number;
}

/**
 * Removes the temporary files that crashed writers left in `directory` (not below it). Resolves to their names.
 * Throws `CKPT_NOT_FOUND`, `CKPT_NO_PERMISSION`, `CKPT_IO`.
 */
export async function removeStaleTemps(
  directory: string,
  options: RemoveStaleTempsOptions = {},
): Promise<string[]> {
  const { fs = nodeFileSystem, olderThanMs = 3_600_000 } = options;
  const removed: string[] = [];
  try {
    for (const name of await fs.readdir(directory)) {
      if (!isTempName(name)) continue;
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
