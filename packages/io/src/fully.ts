import { errnoError } from "./errno.js";
import type { FileHandle } from "./file-system.js";

/** The buffers that are left when `done` bytes of them are written. */
function withoutFirst(buffers: readonly Uint8Array[], done: number): Uint8Array[] {
  const rest: Uint8Array[] = [];
  let skip = done;
  for (const buffer of buffers) {
    if (skip >= buffer.length) skip -= buffer.length;
    else {
      rest.push(skip > 0 ? buffer.subarray(skip) : buffer);
      skip = 0;
    }
  }
  return rest;
}

/**
 * Writes the buffers at `position` and completes short writes, until at least `minimumBytes` (default: all) are written.
 * Resolves to the bytes written. A write that takes nothing is an EIO: waiting for it could last for ever.
 */
export async function writeFully(
  handle: FileHandle,
  buffers: readonly Uint8Array[],
  position: number,
  minimumBytes?: number,
): Promise<number> {
  let total = 0;
  for (const buffer of buffers) total += buffer.length;
  const wanted = minimumBytes ?? total;
  let written = 0;
  while (written < wanted) {
    const rest = written === 0 ? buffers : withoutFirst(buffers, written);
    const n = await handle.write(rest, position + written);
    if (n <= 0) throw errnoError("EIO", "write", handle.path, "the write took no bytes");
    written += n;
  }
  return written;
}

/** Reads `length` bytes from `position` into `buffer` at `offset`, completing short reads; fewer only at the end of the file. */
export async function readFully(
  handle: FileHandle,
  buffer: Uint8Array,
  offset: number,
  length: number,
  position: number,
): Promise<number> {
  let done = 0;
  while (done < length) {
    const n = await handle.read(buffer, offset + done, length - done, position + done);
    if (n <= 0) break;
    done += n;
  }
  return done;
}
