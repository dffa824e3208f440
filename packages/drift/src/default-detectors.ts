import type { Detector } from "./detector.js";
import { consistency } from "./detectors/consistency.js";
import { corruption } from "./detectors/corruption.js";
import { cycle } from "./detectors/cycle.js";
import { errorStreak } from "./detectors/error-streak.js";
import { shift } from "./detectors/shift.js";
import { stall } from "./detectors/stall.js";

/** What a monitor watches when nothing is configured. */
export function defaultDetectors(pollers: readonly string[]): Detector[] {
  return [corruption(), errorStreak(), cycle({ pollers }), stall({ pollers }), shift(), consistency()];
}
