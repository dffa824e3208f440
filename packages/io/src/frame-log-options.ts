import type { FileSystem } from "./file-system.js";
import { FRAME_CHAIN_BYTES, MAX_FRAME_BODY_BYTES } from "./frame.js";
import { positive } from "./positive.js";

/** Options of `FrameLog.create`. */
export interface FrameLogOptions {
  /** The file system; default: this machine's. */
  readonly fs?: FileSystem;
  /** The chain value before the first frame, 16 bytes; default zeros. */
  readonly chain?: Uint8Array;
  /** Longest body of one frame, in bytes; a longer record has several. Default 1 MiB, at most 16 MiB. */
  readonly fragmentBytes?: number;
  /** A write takes no further fragment once it holds this many bytes; bounds memory. Default 2 MiB. */
  readonly maxBatchBytes?: number;
  /**
   * Zero space ahead of the end, so that a commit need not also sync the file's size: 64 KiB at first, doubling to
   * 1 MiB. A number fixes the bytes; `false` writes none. Default `true`.
   */
  readonly preallocate?: boolean | number;
  /**
   * Write on the calling thread, which waits for the disk: about a third less time for one appender, and nothing else runs
   * meanwhile. Default false.
   */
  readonly blockingWrites?: boolean;
  /** Mode of the file; default 0o600. */
  readonly mode?: number;
}

/** Throws `CKPT_INVALID_ARGUMENT` for options with which a log could not work. */
export function checkLogOptions({ fragmentBytes, maxBatchBytes, preallocate, chain }: FrameLogOptions): void {
  if (fragmentBytes !== undefined) positive(fragmentBytes, "fragmentBytes", MAX_FRAME_BODY_BYTES);
  if (maxBatchBytes !== undefined) positive(maxBatchBytes, "maxBatchBytes");
  if (typeof preallocate === "number") positive(preallocate, "preallocate");
  if (chain !== undefined) positive(chain.length === FRAME_CHAIN_BYTES ? 1 : 0, "chain (16 bytes)", 1);
}
