import type { DetectorReader } from "./detector.js";
import { readConsistency } from "./detectors/consistency.js";
import { readCorruption } from "./detectors/corruption.js";
import { readCycle } from "./detectors/cycle.js";
import { readErrorStreak } from "./detectors/error-streak.js";
import { readShift } from "./detectors/shift.js";
import { readStall } from "./detectors/stall.js";
import { readUnusual } from "./detectors/unusual.js";

/** Readers of the built-in detectors, by the `type` in their JSON. */
export const builtInReaders: Readonly<Record<string, DetectorReader>> = {
  consistency: readConsistency,
  corruption: readCorruption,
  cycle: readCycle,
  errorStreak: readErrorStreak,
  shift: readShift,
  stall: readStall,
  unusual: readUnusual,
};
