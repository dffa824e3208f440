import type { ChecksumKind } from "./checksum.js";
import type { FileSystem } from "./file-system.js";

/** Options of all that streams in chunks. */
export interface ChunkOptions {
  /** The file system; default: this machine's. */
  readonly fs?: FileSystem;
  /** Bytes per read or write, which bounds the memory; default 1 MiB. */
  readonly chunkBytes?: number;
  /** Called after each chunk with the bytes done and, where known, the bytes in all. */
  readonly onProgress?: (doneBytes: number, totalBytes: number | undefined) => void;
  /** Ends it with `CKPT_ABORTED` before the next chunk. */
  readonly signal?: AbortSignal;
}

/** Options of what writes in chunks. */
export interface WriteChunksOptions extends ChunkOptions {
  /** Compute this over the bytes; the report has it. Default: none. */
  readonly checksum?: ChecksumKind;
  /** What `onProgress` is told as the total, where the caller knows it. */
  readonly totalBytes?: number;
}

export const DEFAULT_CHUNK_BYTES = 1024 * 1024;
