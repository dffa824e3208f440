import { CkptError } from "@ckpt/errors";
import type { JsonObject } from "../json.js";

/** What a change detector on one stream of numbers found. */
export interface StreamEvidence {
  readonly level: "warn" | "drift";
  /** The level of the stream (mean, rate or scale) before the change. */
  readonly before: number;
  /** The same since the change. */
  readonly after: number;
  /** Observations since the change, as far as the method can tell; at least 1. */
  readonly window: number;
  /** The test statistic, and what it had to pass. */
  readonly statistic: number;
  readonly threshold: number;
}

/**
 * A change detector on one stream of numbers. Values that are not finite are ignored, values beyond ±1e100 count as ±1e100. A detector that
 * reported drift starts anew with the next value.
 */
export interface StreamDetector {
  /** Takes one value in; says whether the stream has changed. */
  update(x: number): StreamEvidence | undefined;
  /** All of its state; the class's `fromJSON` gives back a detector that goes on bit-identically. */
  toJSON(): JsonObject;
}

/** Refuses an option that is not finite, or outside its range. */
export function requireOption(
  detector: string,
  option: string,
  value: number,
  valid: boolean,
  expected: string,
): void {
  if (valid && Number.isFinite(value)) return;
  throw new CkptError("CKPT_INVALID_ARGUMENT", {
    message: `${detector}: ${option} is ${value}.`,
    hint: `Give ${expected}.`,
    details: { detector, option, value },
  });
}
