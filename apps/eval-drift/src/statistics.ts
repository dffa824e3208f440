/** The value below which `share` of the values lie; NaN of none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted.length === 0
    ? Number.NaN
    : sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);

/** Area under the ROC curve: the chance that a positive scores above a negative, ties counting half. */
export function areaUnderCurve(positives: readonly number[], negatives: readonly number[]): number {
  const all = [
    ...positives.map((score) => ({ score, positive: true })),
    ...negatives.map((score) => ({ score, positive: false })),
  ];
  all.sort((a, b) => a.score - b.score);
  let rankSum = 0;
  for (let from = 0; from < all.length; ) {
    let to = from;
    while (to < all.length && all[to]!.score === all[from]!.score) to++;
    const rank = (from + to + 1) / 2;
    for (let i = from; i < to; i++) if (all[i]!.positive) rankSum += rank;
    from = to;
  }
  const n = positives.length;
  return (rankSum - (n * (n + 1)) / 2) / (n * negatives.length);
}

/** The exact 95 % interval of a Poisson mean, given one count (Garwood 1936), by bisection on the distribution function. */
export function poissonInterval(count: number): [number, number] {
  const upper = solve((mean) => poissonCdf(count, mean) - 0.025, count + 10 * Math.sqrt(count + 1) + 10);
  const lower = count === 0 ? 0 : solve((mean) => poissonCdf(count - 1, mean) - 0.975, count + 10);
  return [lower, upper];
}

function solve(falling: (mean: number) => number, high: number): number {
  let low = 0;
  let top = high;
  for (let i = 0; i < 80; i++) {
    const middle = (low + top) / 2;
    if (falling(middle) > 0) low = middle;
    else top = middle;
  }
  return (low + top) / 2;
}

function poissonCdf(k: number, mean: number): number {
  let term = Math.exp(-mean);
  let sum = term;
  for (let i = 1; i <= k; i++) {
    term *= mean / i;
    sum += term;
  }
  return sum;
}
