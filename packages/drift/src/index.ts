export type {
  Detector,
  DetectorContext,
  DetectorEvidence,
  DetectorJson,
  DetectorReader,
} from "./detector.js";
export { corruption } from "./detectors/corruption.js";
export { errorStreak } from "./detectors/error-streak.js";
export {
  type Invariant,
  type InvariantOptions,
  invariant,
  type StandardSchema,
} from "./detectors/invariant.js";
export { type ShiftOptions, shift } from "./detectors/shift.js";
export type { DriftErrorCode } from "./errors.js";
export { type Json, type JsonObject, JsonReader } from "./json.js";
export { DriftMonitor, type MonitorOptions, monitor, type RestoreOptions } from "./monitor.js";
export type { CorruptionFinding, Signal } from "./signal.js";
export { compareLevels, type Evidence, type Level, type Origin, type Verdict } from "./verdict.js";
