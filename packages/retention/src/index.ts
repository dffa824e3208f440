export { anyOf } from "./any-of.js";
export type { RetentionContext } from "./context.js";
export { defaultPolicy } from "./default-policy.js";
export type { DriftAnchorOptions } from "./drift-anchors.js";
export { driftAnchors } from "./drift-anchors.js";
export type { Duration } from "./duration.js";
export type { RetentionErrorCode } from "./errors.js";
export { explain } from "./explain.js";
export type { GfsCounts } from "./gfs.js";
export { gfs } from "./gfs.js";
export type { Suspension } from "./history.js";
export { keepAll } from "./keep-all.js";
export { keepFirst } from "./keep-first.js";
export { keepIf } from "./keep-if.js";
export { keepLast } from "./keep-last.js";
export { keepLatestPerName } from "./keep-latest-per-name.js";
export { keepPinned } from "./keep-pinned.js";
export { keepUntilReleased } from "./keep-until-released.js";
export { keepWithin } from "./keep-within.js";
export type { MaxBytesOptions } from "./max-bytes.js";
export { maxBytes } from "./max-bytes.js";
export { maxCount } from "./max-count.js";
export type { RetentionDecision, RetentionPlan } from "./plan.js";
export { planRetention, planRetentionInSlices } from "./plan.js";
export type {
  CapRule,
  History,
  HistoryEntry,
  KeepRule,
  ProtectionCode,
  Reason,
  ReasonCode,
  RetentionPolicy,
} from "./policy.js";
export { forName, forOtherNames, perName } from "./scope.js";
