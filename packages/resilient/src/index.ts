// What composing takes, so that it needs no other import.
export { CkptError, isCkptError, MemoryStore } from "@ckpt/core";
export { DiskStore } from "@ckpt/disk";
export {
  consistency,
  corruption,
  cycle,
  errorStreak,
  invariant,
  monitor,
  shift,
  stall,
  unusual,
} from "@ckpt/drift";
export {
  anyOf,
  defaultPolicy,
  driftAnchors,
  forName,
  forOtherNames,
  gfs,
  keepAll,
  keepFirst,
  keepIf,
  keepLast,
  keepLatestPerName,
  keepPinned,
  keepUntilReleased,
  keepWithin,
  maxBytes,
  maxCount,
  perName,
} from "@ckpt/retention";
export type { ErrorCode, ResilientCode } from "./errors.js";
export type { ResilientEvents } from "./events.js";
export type { ForkOptions } from "./fork.js";
export { restoreGroup } from "./group-restore.js";
export type { CheckpointGroup, GroupMember, GroupOptions } from "./groups.js";
export { checkpointGroup } from "./groups.js";
export type { GuardContext, GuardOptions } from "./guard.js";
export type { HealthReporting, IncidentListener, PlaceHealth, StoreHealth, StoreIncident } from "./health.js";
export type {
  LoopClock,
  LoopEnd,
  LoopOptions,
  LoopSummary,
  StepContext,
  StepObservation,
} from "./loop-options.js";
export { LOOP_DEFAULTS } from "./loop-options.js";
export type { ManagerStatus } from "./manager-status.js";
export type { OperationalContext, ResilientOptions, UnfinishedGuardChoice } from "./options.js";
export { RESILIENT_DEFAULTS } from "./options.js";
export type { PlacesOptions, PlacesStore } from "./places-store.js";
export type { OfferedGuard, RecoveryReport, SkippedCheckpoint, UnfinishedGuard } from "./recovery-report.js";
export { ResilientCheckpointManager } from "./resilient-manager.js";
export type { CheckpointReference } from "./resolve-reference.js";
export type { Restored, RestoreOptions } from "./restore.js";
export type { LoopStep } from "./supervise-loop.js";
export { superviseLoop } from "./supervise-loop.js";
export type { CloseOptions, DegradationOptions, DegradingStore } from "./with-degradation.js";
export { DEGRADATION_DEFAULTS, withDegradation } from "./with-degradation.js";
export { withFallback } from "./with-fallback.js";
export { withMirror } from "./with-mirror.js";
export type { StoreRetryOptions } from "./with-retry.js";
export { withRetry } from "./with-retry.js";
export type { StoreCall, TelemetryHooks } from "./with-telemetry.js";
export { withTelemetry } from "./with-telemetry.js";
