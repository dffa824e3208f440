/** Values this often equal (probability that two of them are) make a metric discrete: ranks of ties are not normal. */
const COLLISIONS = 0.08;
/** One value this common makes the others its deviations: below it, at it, above it. */
const MODE_SHARE = 0.7;
const QUANTILES = [0.25, 0.5, 0.75];

/** Number of cells that a discrete metric is divided into, at most. */
export const MAX_CELLS = 4;

/**
 * The borders of the cells into which a discrete metric (flags, rates, counts with few values) is divided, from a first sample; undefined
 * for a continuous one. A value is in the cell whose number is that of the borders below it.
 */
export function cellBorders(sample: readonly number[]): number[] | undefined {
  const sorted = [...sample].sort((a, b) => a - b);
  const n = sorted.length;
  const { collisions, mode, modeShare } = ties(sorted);
  if (collisions < COLLISIONS) return undefined;
  if (modeShare >= MODE_SHARE) return [justBelow(mode), justAbove(mode)];
  const borders = new Set(QUANTILES.map((q) => justAbove(sorted[Math.floor(q * n)]!)));
  return [...borders].filter((border) => border < sorted[n - 1]!);
}

/** The number of the cell that `x` is in. */
export function cellOf(borders: readonly number[], x: number): number {
  let cell = 0;
  while (cell < borders.length && x > borders[cell]!) cell++;
  return cell;
}

function ties(sorted: readonly number[]): { collisions: number; mode: number; modeShare: number } {
  const n = sorted.length;
  let pairs = 0;
  let mode = sorted[0]!;
  let most = 0;
  for (let from = 0; from < n; ) {
    let to = from;
    while (to < n && sorted[to] === sorted[from]) to++;
    pairs += (to - from) * (to - from - 1);
    if (to - from > most) {
      most = to - from;
      mode = sorted[from]!;
    }
    from = to;
  }
  return { collisions: pairs / (n * (n - 1)), mode, modeShare: most / n };
}

const justAbove = (x: number): number => x + 1e-9 * Math.max(1, Math.abs(x));
const justBelow = (x: number): number => x - 1e-9 * Math.max(1, Math.abs(x));
