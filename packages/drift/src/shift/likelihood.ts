import { COUNT, S1, S2, S3 } from "./statistics.js";

/** Values needed before and after a change to test for it. */
const MIN_BEFORE = 20;
/** Prior weight, in values, of "the scale did not change": keeps few values from claiming that it did. */
const SCALE_PRIOR = 4;
const MIN_VARIANCE = 0.05;

/** More than a history ever counts. */
const TABLE_SIZE = 8192;
let table: Float64Array | undefined;

/** k ln k for the whole numbers below TABLE_SIZE. */
function kLogKTable(): Float64Array {
  if (table === undefined) {
    table = new Float64Array(TABLE_SIZE);
    for (let i = 2; i < TABLE_SIZE; i++) table[i] = i * Math.log(i);
  }
  return table;
}

/**
 * Log likelihood ratio of "the cells' shares changed" against "they did not", for a discrete metric: `all` are the counts of the whole
 * stretch, `after` those since the supposed change. Two cells make it the two-sample Bernoulli GLR.
 *
 * Source: S. S. Wilks, "The likelihood test of independence in contingency tables", Ann. Math. Statist. 6 (1935).
 */
export function cellsLikelihoodRatio(all: Float64Array, after: Float64Array, at: number): number {
  const n = all[at + COUNT]! | 0;
  const n2 = after[at + COUNT]! | 0;
  const n1 = n - n2;
  if (n1 < MIN_BEFORE || n2 < 1) return 0;
  const f = kLogKTable();
  let ratio = f[n]! - f[n1]! - f[n2]!;
  let a0 = n;
  let b0 = n2;
  for (let i = at + S1; i <= at + S3; i++) {
    const a = all[i]! | 0;
    const b = after[i]! | 0;
    a0 -= a;
    b0 -= b;
    ratio += f[b]! + f[a - b]! - f[a]!;
  }
  return ratio + f[b0]! + f[a0 - b0]! - f[a0]!;
}

/**
 * Log likelihood ratio of "mean or scale of the scores changed" against "neither did". The variance before is taken from the values before, the
 * one after is shrunk towards it. Neither counts as less than 0.05, so that values that never vary do not differ in scale.
 *
 * Source: T. L. Lai, "Sequential changepoint detection in quality control and dynamical systems", JRSS B 57 (1995), with both
 * levels estimated as in D. Siegmund, E. S. Venkatraman, Ann. Statist. 23 (1995).
 */
export function scoresLikelihoodRatio(all: Float64Array, after: Float64Array, at: number): number {
  const n2 = after[at + COUNT]!;
  const n1 = all[at + COUNT]! - n2;
  if (n1 < MIN_BEFORE || n2 < 1) return 0;
  const sum2 = after[at + S1]!;
  const squares2 = after[at + S2]!;
  const mean1 = (all[at + S1]! - sum2) / n1;
  const mean2 = sum2 / n2;
  const variance1 = Math.max(MIN_VARIANCE, (all[at + S2]! - squares2 + 1) / n1 - mean1 * mean1);
  const difference = mean2 - mean1;
  const share = n1 / (n1 + n2);
  const shift = (n2 * share * difference * difference) / (2 * variance1);
  const spread2 = Math.max(MIN_VARIANCE * (n2 - 1), squares2 - n2 * mean2 * mean2);
  const ratio = (spread2 / variance1 + SCALE_PRIOR) / (n2 - 1 + SCALE_PRIOR);
  return shift + ((n2 - 1) * share * excess(ratio - 1)) / 2;
}

/** s - ln(1 + s); near 0, where most values are, by its series: three times as fast as the logarithm, exact to 1e-7. */
function excess(s: number): number {
  if (s > 0.2 || s < -0.2) return s - Math.log(1 + s);
  return s * s * (0.5 - s * (1 / 3 - s * (0.25 - s * (0.2 - s * (1 / 6 - s * (1 / 7 - s / 8))))));
}
