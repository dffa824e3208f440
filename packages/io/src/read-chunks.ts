import { throwIfAborted } from "./aborted.js";
import type { Checksum } from "./checksum.js";
import { type ChunkOptions, DEFAULT_CHUNK_BYTES } from "./chunk-options.js";
import { toCkptError } from "./classify.js";
import type { FileHandle } from "./file-system.js";
import { readFully } from "./fully.js";
import { nodeFileSystem } from "./node-file-system.js";
import { positive } from "./positive.js";
import { statRegular } from "./regular-file.js";

/** Options of {@link readChunks}. */
export interface ReadChunksOptions extends ChunkOptions {
  /** Where to begin, in bytes; default 0. */
  readonly from?: number;
  /** Where to stop, in bytes; default: the file's size when the reading begins, or its end where it says 0 as those of `/proc` do. */
  readonly to?: number;
  /** Updated with every chunk; take its digest when the reading is over. */
  readonly checksum?: Checksum;
}

/**
 * Reads a file chunk by chunk with bounded memory; each chunk is a buffer of its own. The file is closed when the loop
 * ends, however it ends.
 *
 * Throws `CKPT_NOT_FOUND`, `CKPT_NO_PERMISSION`, `CKPT_IO`, `CKPT_ABORTED`, and without `to` `CKPT_UNSUPPORTED` for what is no regular
 * file. A file that gets shorter meanwhile ends early.
 */
export async function* readChunks(
  path: string,
  options: ReadChunksOptions = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  const { fs = nodeFileSystem, chunkBytes = DEFAULT_CHUNK_BYTES, from = 0, signal } = options;
  positive(chunkBytes, "chunkBytes");
  throwIfAborted(signal, `reading ${path}`);
  const handle = await fs.open(path, { access: "read" }).catch((error: unknown) => {
    throw toCkptError(error, { doing: "open", path });
  });
  try {
    const reading = { doing: "read", path };
    const to = options.to ?? (await endOf(handle));
    const totalBytes = Number.isFinite(to) ? to - from : undefined;
    for (let at = from; at < to; ) {
      throwIfAborted(signal, `reading ${path}`);
      const wanted = Math.min(chunkBytes, to - at);
      const buffer = Buffer.allocUnsafeSlow(wanted);
      const read = await readFully(handle, buffer, 0, wanted, at).catch((error: unknown) => {
        throw toCkptError(error, reading);
      });
      if (read === 0) return;
      const chunk = buffer.subarray(0, read);
      options.checksum?.update(chunk);
      at += read;
      yield chunk;
      options.onProgress?.(at - from, totalBytes);
    }
  } finally {
    // Nothing was written: a close that fails takes nothing away from what was read.
    await handle.close().catch(() => undefined);
  }
}

/** Where an open file ends; Infinity where only reading tells. */
async function endOf(handle: FileHandle): Promise<number> {
  const { size } = await statRegular(handle).catch((error: unknown) => {
    throw toCkptError(error, { doing: "look at", path: handle.path });
  });
  return size > 0 ? size : Number.POSITIVE_INFINITY;
}
