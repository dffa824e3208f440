import { statfs } from "node:fs/promises";
import path from "node:path";
import { CkptError } from "@ckpt/errors";
import { classify, nodeFileSystem } from "@ckpt/io";
import type { DiskStoreCode } from "./errors.js";
import type { ResolvedOptions } from "./options.js";

/** `f_type` of file systems whose locks or syncs reach another machine (Linux, statfs(2)). */
const NETWORK: ReadonlyMap<number, string> = new Map([
  [0x6969, "nfs"],
  [0x517b, "smb"],
  [0xff534d42, "cifs"],
  [0xfe534d42, "smb2"],
  [0x5346414f, "afs"],
  [0x6b414653, "afs"],
  [0x00c36400, "ceph"],
  [0x73757245, "coda"],
  [0x0bd00bd0, "lustre"],
  [0x47504653, "gpfs"],
]);

/**
 * Refuses a directory on a network file system with `CKPT_NETWORK_FILE_SYSTEM`, unless the options allow it. Where the platform does not
 * tell (anything but Linux), and for a file system of the caller's own, nothing is refused.
 */
export async function checkFileSystem(root: string, options: ResolvedOptions): Promise<void> {
  if (options.networkFileSystem === "allow" || options.fs !== nodeFileSystem || process.platform !== "linux")
    return;
  const kind = NETWORK.get(await typeOf(root));
  if (kind === undefined) return;
  throw new CkptError<DiskStoreCode>("CKPT_NETWORK_FILE_SYSTEM", {
    message: `${root} is on a network file system (${kind}); its locks and syncs cannot be relied on.`,
    hint: 'Use a directory on a local disk, or pass networkFileSystem: "allow" when one machine alone uses it and losing the last saves is acceptable.',
    details: { path: root, fileSystem: kind },
  });
}

/** The type of the file system of the nearest directory that exists. */
async function typeOf(root: string): Promise<number> {
  for (let at = root; ; at = path.dirname(at)) {
    try {
      return Number((await statfs(at)).type) >>> 0;
    } catch (error) {
      if (classify(error) !== "not-found" || at === path.dirname(at)) throw error;
    }
  }
}
