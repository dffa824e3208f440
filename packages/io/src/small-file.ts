import { CkptError } from "@ckpt/errors";
import type { FileSystem } from "./file-system.js";
import { readFully, writeFully } from "./fully.js";

/** Reads a file of at most `maxBytes` whole. Throws `CKPT_LIMIT` for a longer one, else the file system's errors. */
export async function readSmallFile(path: string, maxBytes: number, fs: FileSystem): Promise<Buffer> {
  const handle = await fs.open(path, { access: "read" });
  try {
    const { size } = await handle.stat();
    if (size > maxBytes) throw tooLong(path, size, maxBytes);
    const bytes = Buffer.alloc(size);
    return bytes.subarray(0, await readFully(handle, bytes, 0, size, 0));
  } finally {
    await handle.close();
  }
}

/** Creates a file exclusively with these bytes and syncs it (the file, not its directory entry). */
export async function writeNewFile(path: string, bytes: Uint8Array, fs: FileSystem): Promise<void> {
  const handle = await fs.open(path, { access: "write", create: "exclusive" });
  try {
    await writeFully(handle, [bytes], 0);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

export function tooLong(path: string, size: number, maxBytes: number): CkptError {
  return new CkptError("CKPT_LIMIT", {
    message: `${path} has ${size} bytes or more, the limit is ${maxBytes}`,
    hint: "Raise maxBytes if the file is what it should be; else move it away.",
    details: { path, size, maxBytes },
  });
}
