import type { DetectorReader } from "./detector.js";
import { readCorruption } from "./detectors/corruption.js";
import { readErrorStreak } from "./detectors/error-streak.js";
import { readShift } from "./detectors/shift.js";

/** Readers of the built-in detectors, by the `type` in their JSON. */
export const builtInReaders: Readonly<Record<string, DetectorReader>> = {
  corruption: readCorruption,
  errorStreak: readErrorStreak,
  shift: readShift,
};
