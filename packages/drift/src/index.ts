export type {
  Detector,
  DetectorContext,
  DetectorEvidence,
  DetectorJson,
  DetectorReader,
} from "./detector.js";
export { type ConsistencyDetector, consistency, type LearnedPlace } from "./detectors/consistency.js";
export { corruption } from "./detectors/corruption.js";
export { type CycleOptions, cycle } from "./detectors/cycle.js";
export { errorStreak } from "./detectors/error-streak.js";
export {
  type Invariant,
  type InvariantOptions,
  invariant,
  type StandardSchema,
} from "./detectors/invariant.js";
export { type ShiftOptions, shift } from "./detectors/shift.js";
export { type StallOptions, stall } from "./detectors/stall.js";
export { type UnusualOptions, unusual } from "./detectors/unusual.js";
export type { DriftErrorCode } from "./errors.js";
export { type Json, type JsonObject, JsonReader } from "./json.js";
export { locateMistake, type MistakeLocation, type TranscriptStep } from "./locate-mistake.js";
export { hammingDistance, simhash } from "./math/fingerprint.js";
export { DriftMonitor, type MonitorOptions, monitor, type RestoreOptions } from "./monitor.js";
export { type SiblingReport, Siblings, type SiblingsOptions } from "./siblings.js";
export type { CorruptionFinding, Signal } from "./signal.js";
export { Adwin, type AdwinOptions } from "./streams/adwin.js";
export { Bocpd, type BocpdOptions } from "./streams/bocpd.js";
export { Cusum, type CusumOptions } from "./streams/cusum.js";
export { Ddm, type DdmOptions } from "./streams/ddm.js";
export { Eddm, type EddmOptions } from "./streams/eddm.js";
export { Ewma, type EwmaOptions } from "./streams/ewma.js";
export { HddmA, type HddmAOptions } from "./streams/hddm-a.js";
export { HddmW, type HddmWOptions } from "./streams/hddm-w.js";
export { Kswin, type KswinOptions } from "./streams/kswin.js";
export { BernoulliGlr, GaussianGlr, type GlrOptions } from "./streams/likelihood-ratio.js";
export { PageHinkley, type PageHinkleyOptions } from "./streams/page-hinkley.js";
export type { StreamDetector, StreamEvidence } from "./streams/stream-detector.js";
export { compareLevels, type Evidence, type Level, type Origin, type Verdict } from "./verdict.js";
