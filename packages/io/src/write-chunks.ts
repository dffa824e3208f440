import { CkptError } from "@ckpt/errors";
import { throwIfAborted } from "./aborted.js";
import { createChecksum } from "./checksum.js";
import { DEFAULT_CHUNK_BYTES, type WriteChunksOptions } from "./chunk-options.js";
import type { FileHandle } from "./file-system.js";
import { writeFully } from "./fully.js";
import { GatheredBytes } from "./gathered-bytes.js";
import { positive } from "./positive.js";

/** What was written. */
export interface WrittenChunks {
  readonly bytes: number;
  /** In hex, when one was asked for. */
  readonly checksum: string | undefined;
}

/**
 * Writes a stream of chunks to an open file from `position` 0 on, with bounded memory: short chunks are copied into one
 * buffer of at most `chunkBytes`, long ones split, short writes completed. What a chunk holds is copied or written before the
 * next one is asked for, so a source may use its buffer again. Neither syncs nor closes. Throws the file system's own errors,
 * `CKPT_ABORTED`, and `CKPT_INVALID_ARGUMENT` for a chunk that is not a Uint8Array.
 */
export async function writeChunks(
  handle: FileHandle,
  source: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  options: WriteChunksOptions = {},
): Promise<WrittenChunks> {
  const { chunkBytes = DEFAULT_CHUNK_BYTES, signal } = options;
  const gathered = new GatheredBytes(positive(chunkBytes, "chunkBytes"));
  const sum = options.checksum === undefined ? undefined : createChecksum(options.checksum);
  let position = 0;
  const write = async (bytes: Uint8Array) => {
    throwIfAborted(signal, `writing ${handle.path}`);
    await writeFully(handle, [bytes], position);
    position += bytes.length;
    options.onProgress?.(position, options.totalBytes);
  };
  throwIfAborted(signal, `writing ${handle.path}`);
  for await (const chunk of source) {
    if (!(chunk instanceof Uint8Array)) throw notBytes(handle.path);
    sum?.update(chunk);
    for (let at = 0; at < chunk.length; ) {
      const part = chunk.subarray(at, at + chunkBytes - gathered.length);
      at += part.length;
      if (part.length === chunkBytes) await write(part);
      else if (gathered.add(part) === chunkBytes) await write(gathered.take());
    }
  }
  if (gathered.length > 0) await write(gathered.take());
  return { bytes: position, checksum: sum?.digest() };
}

function notBytes(path: string): CkptError {
  return new CkptError("CKPT_INVALID_ARGUMENT", {
    message: `A chunk written to ${path} is not a Uint8Array`,
    hint: "Encode text with TextEncoder before passing it on.",
    details: { path, argument: "data" },
  });
}
