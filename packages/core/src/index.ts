export type { SignalOption } from "./abort.js";
export { throwIfAborted, untilAborted } from "./abort.js";
export { asyncDispose } from "./async-dispose.js";
export type { StateReader } from "./checkpoint.js";
export { Checkpoint, SavedCheckpoint } from "./checkpoint.js";
export type { CheckpointDraft, CheckpointHeader, Json } from "./checkpoint-header.js";
export { applyDelta, Delta, diff } from "./delta.js";
export { Emitter } from "./emitter.js";
export type { CkptErrorInit, CommonCode, CoreErrorCode } from "./errors.js";
export { CkptError, isCkptError } from "./errors.js";
export {
  CHECKPOINT_ID_MAX_BYTES,
  ID_MAX_BYTES,
  validateAgentId,
  validateCheckpointId,
  validateName,
} from "./identifiers.js";
export type { ImportOptions } from "./import-document.js";
export type { ImportConflict } from "./import-plan.js";
export type { JsonPatchOperation } from "./json-patch.js";
export { toJsonPatch } from "./json-patch.js";
export type { Logger } from "./logger.js";
export { silentLogger } from "./logger.js";
export { CheckpointManager } from "./manager.js";
export type { Capture, CommitOptions, MoveHeadOptions } from "./manager-base.js";
export { ManagerBase } from "./manager-base.js";
export type { ManagerEvents } from "./manager-events.js";
export type { ManagerOptions, ResolvedOptions } from "./manager-options.js";
export { MANAGER_DEFAULTS } from "./manager-options.js";
export { MemoryStore } from "./memory-store.js";
export type { Metadata } from "./metadata.js";
export { captureMetadata, freezeJson } from "./metadata.js";
export type { Migrations } from "./migrations.js";
export type { StateArray, StateNode, StateObject } from "./node.js";
export { BinaryLeaf } from "./node.js";
export { checkpointNotFound } from "./not-found.js";
export { OpenCalls } from "./open-calls.js";
export type { RecordSink } from "./record/assembler.js";
export { StateAssembler } from "./record/assembler.js";
export { encodeDelta, encodeKeyframe } from "./record/encode.js";
export type { StandardIssue, StandardResult, StandardSchema } from "./schema.js";
export type { SnapshotOptions } from "./snapshot.js";
export { fromTaggedJson, hashInSlices, rebase, Snapshot, snapshot } from "./snapshot.js";
export type { AnyClassCodec, ClassCodec } from "./state/class-codec.js";
export type { SnapshotLimits } from "./state/limits.js";
export { DEFAULT_LIMITS } from "./state/limits.js";
export type {
  AgentState,
  CheckpointStore,
  CommitReceipt,
  CompactionReport,
  HeaderQuery,
  Lease,
  StoreCapabilities,
  StoreEntry,
  StoreEvent,
  StoreFinding,
} from "./store.js";
export type { CheckpointDict, ManagerSummary } from "./summary.js";
export { isThenable } from "./thenable.js";
export type { TimeInput } from "./timestamp.js";
export { formatTimestamp, parseTimestamp, toMicroseconds } from "./timestamp.js";
export type { Place } from "./write-position.js";
export { WritePosition } from "./write-position.js";
export { WriteQueue } from "./write-queue.js";
