/**
 * The Numenta Anomaly Benchmark's score, standard profile. Source: A. Lavin, S. Ahmad, "Evaluating real-time anomaly detection algorithms: the Numenta
 * Anomaly Benchmark", ICMLA 2015.
 */

/** An inclusive range of indices that holds a labelled anomaly. */
export interface Window {
  readonly first: number;
  readonly last: number;
}

const FALSE_POSITIVE_COST = 0.11;
const MISS_COST = 1;

/** Points at the beginning of a series in which detections do not count: 15 %, at most 750. */
export function probation(length: number): number {
  return Math.min(Math.floor(0.15 * length), 750);
}

/** 1 far before, 0 at, -1 far behind the end of a window; positions are in window lengths. */
export function scaledSigmoid(position: number): number {
  return position > 3 ? -1 : 2 / (1 + Math.exp(5 * position)) - 1;
}

const EARLIEST = scaledSigmoid(-1);

/** The raw score of one series: at most the number of windows; a detector that never speaks gets minus that number. */
export function rawScore(detections: readonly number[], windows: readonly Window[], length: number): number {
  const start = probation(length);
  const hit = new Set<Window>();
  let score = 0;
  for (const at of detections) {
    if (at < start) continue;
    const inside = windows.find((w) => at >= w.first && at <= w.last);
    if (inside === undefined) score += falsePositive(at, windows);
    else if (!hit.has(inside)) {
      hit.add(inside);
      const width = inside.last - inside.first + 1;
      score += scaledSigmoid(-(inside.last - at + 1) / width) / EARLIEST;
    }
  }
  return score - MISS_COST * (windows.length - hit.size);
}

function falsePositive(at: number, windows: readonly Window[]): number {
  const before = windows
    .filter((w) => w.last < at)
    .reduce<Window | undefined>((a, b) => (a === undefined || b.last > a.last ? b : a), undefined);
  if (before === undefined) return -FALSE_POSITIVE_COST;
  const width = before.last - before.first + 1;
  return FALSE_POSITIVE_COST * scaledSigmoid((at - before.last) / Math.max(1, width - 1));
}

/** 0 for a detector that never speaks, 100 for a perfect one. */
export function normalize(rawTotal: number, windows: number): number {
  return (100 * (rawTotal + windows)) / (2 * windows);
}
