const LARGEST = 1e100;

/**
 * The value itself within ±1e100, else the nearer end of that range: far beyond any real measurement, and small enough that squares of
 * such values, and sums of many of them, stay finite. What is not finite cannot be stored as JSON.
 */
export function withinRange(x: number): number {
  return Math.max(-LARGEST, Math.min(LARGEST, x));
}
