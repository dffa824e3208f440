import type { Detector } from "./detector.js";
import { corruption } from "./detectors/corruption.js";
import { errorStreak } from "./detectors/error-streak.js";
import { shift } from "./detectors/shift.js";

/** What a monitor watches when nothing is configured. */
export function defaultDetectors(_pollers: readonly string[]): Detector[] {
  return [corruption(), errorStreak(), shift()];
}
