import { CkptError } from "@ckpt/errors";
import type { FileHandle, FileSystem } from "./file-system.js";
import { readFully, writeFully } from "./fully.js";
import { statRegular } from "./regular-file.js";
import { withHandle } from "./with-handle.js";

const PIECE_BYTES = 64 * 1024;

/**
 * Reads a file of at most `maxBytes` whole. Throws `CKPT_LIMIT` for a longer one, `CKPT_UNSUPPORTED` for what is no regular file, else the
 * file system's errors.
 */
export async function readSmallFile(path: string, maxBytes: number, fs: FileSystem): Promise<Buffer> {
  return withHandle(await fs.open(path, { access: "read" }), async (handle) => {
    const { size } = await statRegular(handle);
    if (size > maxBytes) throw tooLong(path, size, maxBytes);
    if (size === 0) return readToEnd(handle, maxBytes);
    const bytes = Buffer.alloc(size);
    return bytes.subarray(0, await readFully(handle, bytes, 0, size, 0));
  });
}

/** For files that say 0 bytes and may have more, as those of `/proc` do. */
async function readToEnd(handle: FileHandle, maxBytes: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for (let bytes = 0; ; ) {
    const piece = Buffer.alloc(PIECE_BYTES);
    const read = await readFully(handle, piece, 0, PIECE_BYTES, bytes);
    pieces.push(piece.subarray(0, read));
    bytes += read;
    if (bytes > maxBytes) throw tooLong(handle.path, bytes, maxBytes);
    if (read < PIECE_BYTES) return Buffer.concat(pieces, bytes);
  }
}

/** Creates a file exclusively with these bytes and syncs it (the file, not its directory entry). */
export async function writeNewFile(path: string, bytes: Uint8Array, fs: FileSystem): Promise<void> {
  await withHandle(await fs.open(path, { access: "write", create: "exclusive" }), async (handle) => {
    await writeFully(handle, [bytes], 0);
    await handle.sync();
  });
}

export function tooLong(path: string, size: number, maxBytes: number): CkptError {
  return new CkptError("CKPT_LIMIT", {
    message: `${path} has ${size} bytes or more, the limit is ${maxBytes}`,
    hint: "Raise maxBytes if the file is what it should be; else move it away.",
    details: { path, size, maxBytes },
  });
}
