import { CkptError } from "@ckpt/errors";
import { type WriteAtomicOptions, type WriteAtomicReport, writeAtomic } from "./atomic-write.js";
import { createChecksum } from "./checksum.js";
import { toCkptError } from "./classify.js";
import { nodeFileSystem } from "./node-file-system.js";
import { readChunks } from "./read-chunks.js";
import { notRegular } from "./regular-file.js";

/** Options of {@link copyFile}. */
export interface CopyFileOptions extends WriteAtomicOptions {
  /** Read the copy back and compare checksums; `CKPT_CORRUPT` when they differ. Default false. */
  readonly verify?: boolean;
}

/**
 * Copies a file atomically and durably, streaming with bounded memory: `to` is the whole copy or what it was before. The
 * report has the checksum of the bytes (`checksum`, default crc32). Throws like {@link writeAtomic}, and
 * `CKPT_NOT_FOUND` when `from` is not there, `CKPT_UNSUPPORTED` when it is no regular file (a link, directory, FIFO, device).
 */
export async function copyFile(
  from: string,
  to: string,
  options: CopyFileOptions = {},
): Promise<WriteAtomicReport> {
  const fs = options.fs ?? nodeFileSystem;
  const found = await fs.stat(from).catch((error: unknown) => {
    throw toCkptError(error, { doing: "look at", path: from });
  });
  if (found === undefined) {
    throw new CkptError("CKPT_NOT_FOUND", {
      message: `There is no file ${from} to copy`,
      hint: "Check the path.",
      details: { path: from },
    });
  }
  if (found.kind !== "file") throw notRegular(from, found.kind);
  const kind = options.checksum ?? "crc32";
  const { fs: _, onProgress: _progress, ...rest } = options;
  const read = {
    fs,
    ...(options.chunkBytes === undefined ? {} : { chunkBytes: options.chunkBytes }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  };
  const write = {
    ...rest,
    fs,
    checksum: kind,
    ...(found.size > 0 ? { totalBytes: found.size } : {}), // 0 may mean unknown
    ...(options.onProgress === undefined ? {} : { onProgress: options.onProgress }),
  };
  const report = await writeAtomic(to, () => readChunks(from, read), write);
  if (options.verify !== true) return report;
  const sum = createChecksum(kind);
  for await (const _chunk of readChunks(report.path, { ...read, checksum: sum }));
  if (sum.digest() === report.checksum) return report;
  throw new CkptError("CKPT_CORRUPT", {
    message: `The copy ${report.path} reads back with another checksum than what was written`,
    hint: "Do not trust this disk; copy to another one.",
    details: { from, path: report.path, checksum: report.checksum },
  });
}
