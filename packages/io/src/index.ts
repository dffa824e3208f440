export type { AtomicData } from "./atomic-data.js";
export type { WriteAtomicOptions, WriteAtomicReport } from "./atomic-write.js";
export { writeAtomic } from "./atomic-write.js";
export type { Backoff, BackoffOptions } from "./backoff.js";
export { exponentialBackoff } from "./backoff.js";
export type { Checksum, ChecksumKind } from "./checksum.js";
export { createChecksum } from "./checksum.js";
export type { ChunkOptions, WriteChunksOptions } from "./chunk-options.js";
export type { ErrorContext, FailureKind } from "./classify.js";
export { classify, isTransient, toCkptError } from "./classify.js";
export type { CopyFileOptions } from "./copy-file.js";
export { copyFile } from "./copy-file.js";
export { crc32 } from "./crc32.js";
export type { EnsureDirectoryOptions } from "./ensure-directory.js";
export { ensureDirectory } from "./ensure-directory.js";
export { errnoError, errnoOf, isErrno } from "./errno.js";
export type { IoErrorCode } from "./errors.js";
export type { FallbackOptions, FallbackResult, TriedPlace } from "./fallback.js";
export { withFallbacks } from "./fallback.js";
export type { FileHandle, FileStat, FileSystem, OpenOptions } from "./file-system.js";
export type { FrameHeader, FrameInit } from "./frame.js";
export {
  encodeFrame,
  FRAME_CHAIN_BYTES,
  FRAME_HEADER_BYTES,
  frameCrc,
  MAX_FRAME_BODY_BYTES,
  parseFrameHeader,
  ZERO_CHAIN,
} from "./frame.js";
export type { LogHead } from "./frame-log.js";
export { FrameLog } from "./frame-log.js";
export type { FrameLogOptions } from "./frame-log-options.js";
export type { BadRegion, ScannedFrame, ScanOptions } from "./frame-scan.js";
export { scanFrames } from "./frame-scan.js";
export { readFully, writeFully } from "./fully.js";
export type { Lease, LeaseOptions } from "./lease.js";
export { acquireLease } from "./lease.js";
export type { LeaseHolder } from "./lease-record.js";
export { linkExclusive } from "./link-exclusive.js";
export type { AppendReceipt, LogRecord, RecordBody } from "./log-record.js";
export type { LogRecovery, RecoverOptions } from "./log-recovery.js";
export { recoverFrameLog } from "./log-recovery.js";
export { nodeFileSystem } from "./node-file-system.js";
export type { ProcessIdentity } from "./process-identity.js";
export { parseProcessIdentity, processIdentity } from "./process-identity.js";
export type { DeathVerdict } from "./prove-death.js";
export { proveDeath } from "./prove-death.js";
export type { ReadChunksOptions } from "./read-chunks.js";
export { readChunks } from "./read-chunks.js";
export type { ReadWay, ReadWithFallbacksOptions } from "./read-fallback.js";
export { readWithFallbacks } from "./read-fallback.js";
export type { ReadFrame, ReadRecord, ReadRecordOptions } from "./record-read.js";
export { readFrame, readRecord, streamRecord } from "./record-read.js";
export type { IncompleteRecord, ScannedRecord } from "./record-scan.js";
export { scanRecords } from "./record-scan.js";
export type { RemoveTreeOptions } from "./remove-tree.js";
export { removeTree } from "./remove-tree.js";
export type { RetryEvent, RetryOptions } from "./retry.js";
export { checkRetryOptions, retry } from "./retry.js";
export { Slices } from "./slices.js";
export type { RemoveStaleTempsOptions } from "./stale-temps.js";
export { removeStaleTemps } from "./stale-temps.js";
export { isTempName, tempName } from "./temp-name.js";
export type { WrittenChunks } from "./write-chunks.js";
export { writeChunks } from "./write-chunks.js";
