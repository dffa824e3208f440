import { errnoError } from "./errno.js";
import type { FileHandle } from "./file-system.js";

/** How many buffers are offered at once after a short write: as many as a system call takes (IOV_MAX). */
const WINDOW = 1024;

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
  let rest = buffers;
  let first = 0;
  let done = 0; // bytes of buffers[first] that are written
  while (written < wanted) {
    const n = await handle.write(rest, position + written);
    if (n <= 0) throw errnoError("EIO", "write", handle.path, "the write took no bytes");
    written += n;
    if (written >= wanted) break;
    done += n;
    while (first < buffers.length && done >= buffers[first]!.length) done -= buffers[first++]!.length;
    // A window, for offering all that is left after each of many short writes costs the square of their number.
    rest = buffers.slice(first, first + WINDOW);
    if (done > 0) rest = [buffers[first]!.subarray(done), ...rest.slice(1)];
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
