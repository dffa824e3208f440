import { CkptError } from "@ckpt/errors";
import type { FileSystem } from "./file-system.js";
import { readFully, writeFully } from "./fully.js";
import { withHandle } from "./with-handle.js";

/** Reads a file of at most `maxBytes` whole. Throws `CKPT_LIMIT` for a longer one, else the file system's errors. */
export async function readSmallFile(path: string, maxBytes: number, fs: FileSystem): Promise<Buffer> {
  return withHandle(await fs.open(path, { access: "read" }), async (handle) => {
    const { size } = await handle.stat();
    if (size > maxBytes) throw tooLong(path, size, maxBytes);
    const bytes = Buffer.alloc(size);
    return bytes.subarray(0, await readFully(handle, bytes, 0, size, 0));
  });
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
