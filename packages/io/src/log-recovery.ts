import { toCkptError } from "./classify.js";
import { errnoOf } from "./errno.js";
import type { FileHandle, FileSystem } from "./file-system.js";
import { ZERO_CHAIN } from "./frame.js";
import type { BadRegion, ScanOptions } from "./frame-scan.js";
import { nodeFileSystem } from "./node-file-system.js";
import { type IncompleteRecord, type ScannedRecord, scanRecords } from "./record-scan.js";
import { withHandle } from "./with-handle.js";

/** Options of {@link recoverFrameLog}. */
export interface RecoverOptions extends ScanOptions {
  /** The file system; default: this machine's. */
  readonly fs?: FileSystem;
  /** Called for each intact record, in order; awaited. */
  readonly onRecord?: (record: ScannedRecord, handle: FileHandle) => void | Promise<void>;
}

/** What is left of a log. */
export interface LogRecovery {
  /** Number of intact records. */
  readonly records: number;
  /** The end of the last intact record. */
  readonly length: number;
  /** The chain value there. */
  readonly chain: Uint8Array;
  /** Where a torn tail begins: bytes that were never acknowledged. */
  readonly tornAt: number | undefined;
  /** Damaged regions in between: bytes that were acknowledged and are lost here. */
  readonly damages: readonly BadRegion[];
  /** Fragments of records that never happened, or that damage cut. */
  readonly incomplete: readonly IncompleteRecord[];
  /** Offsets of intact records whose chain does not continue the one before. */
  readonly brokenLinks: readonly number[];
}

/**
 * Reads the log of a writer that is gone, only reading: intact records go to `onRecord`, the result says where it was
 * torn and what is damaged. Never throws for what it finds; throws `CKPT_NOT_FOUND`, `CKPT_NO_PERMISSION`, `CKPT_IO`
 * where the file cannot be read.
 */
export async function recoverFrameLog(path: string, options: RecoverOptions = {}): Promise<LogRecovery> {
  const fs = options.fs ?? nodeFileSystem;
  const damages: BadRegion[] = [];
  const incomplete: IncompleteRecord[] = [];
  const brokenLinks: number[] = [];
  let records = 0;
  let length = options.from ?? 0;
  let chain = options.chain ?? ZERO_CHAIN;
  let tornAt: number | undefined;
  const read = async (handle: FileHandle) => {
    for await (const item of scanRecords(handle, options)) {
      if (item.type === "record") {
        records++;
        length = item.end;
        chain = item.chain;
        if (item.link === "broken") brokenLinks.push(item.offset);
        await options.onRecord?.(item, handle);
      } else if (item.type === "incomplete") incomplete.push(item);
      else if (item.reason === "torn") tornAt = item.start;
      else damages.push(item);
    }
  };
  try {
    await withHandle(await fs.open(path, { access: "read" }), read);
  } catch (error) {
    // What `onRecord` throws is its own affair.
    throw errnoOf(error) === undefined ? error : toCkptError(error, { doing: "read the log", path });
  }
  return { records, length, chain, tornAt, damages, incomplete, brokenLinks };
}
