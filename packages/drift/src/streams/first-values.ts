import { withinRange } from "../math/magnitude.js";

/** A value this many scales from the centre may be a stray one, and is drawn in while the normal is learned. */
const STRAY = 4;
/** The median of the absolute deviations, times this, is the standard deviation of normal values. */
const NORMAL = 1.4826;

/** Where a stream's first values lie, and how far they spread. */
export interface Location {
  readonly centre: number;
  /** Zero when all values are equal. */
  readonly scale: number;
}

/**
 * The median and the median absolute deviation, which a few stray values do not move; the standard deviation where more than half
 * of the values are equal.
 *
 * Source: F. R. Hampel, "The influence curve and its role in robust estimation", J. Am. Stat. Assoc. 69 (1974).
 */
export function robustLocation(values: readonly number[]): Location {
  const centre = median(values);
  const deviations = values.map((x) => Math.abs(x - centre));
  const squares = deviations.reduce((sum, d) => sum + d * d, 0);
  return { centre, scale: NORMAL * median(deviations) || Math.sqrt(squares / (values.length - 1)) };
}

/** A value of the warm-up in scales from the centre; a stray one counts as four. */
export function drawnIn(x: number, { centre, scale }: Location): number {
  return scale === 0 ? 0 : Math.max(-STRAY, Math.min(STRAY, withinRange((x - centre) / scale)));
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : sorted[half - 1]! / 2 + sorted[half]! / 2;
}
