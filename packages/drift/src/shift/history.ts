import { type JsonObject, JsonReader } from "../json.js";
import { cellsLikelihoodRatio, scoresLikelihoodRatio } from "./likelihood.js";
import { WIDTH } from "./statistics.js";

/** A row holds up to this many buckets; one more, and the two oldest merge into the next row. */
const MAX_BUCKETS = 5;
const SLOTS = MAX_BUCKETS + 1;
/** The last row's buckets are forgotten instead of merged: what is normal is learned from the last 2,500 to 5,100 signals. */
const MAX_ROWS = 10;
/** The row of single steps is scanned at every step, a row of 2^r only every 2^r steps. */
const DENSE_ROWS = 1;

/**
 * The sufficient statistics of all metrics over the past, in an exponential histogram: fine for the recent past, coarse for the
 * old, and forgotten after some thousand signals. All metrics share one time axis (the signals), so that a change in several of them can be weighed together.
 *
 * Source: M. Datar et al., "Maintaining stream statistics over sliding windows", SIAM J. Comput. 31 (2002).
 */
export class History {
  #metrics = 0;
  /** Row r: SLOTS buckets of 2^r signals each, oldest first. */
  #rows: Float64Array[] = [];
  #counts: number[] = [];
  /** Statistics of everything, the warm-up of each metric included. */
  all = new Float64Array(0);
  /** What the last scan found. */
  bestLength = 0;
  bestAfter = new Float64Array(0);
  #after = new Float64Array(0);

  get metrics(): number {
    return this.#metrics;
  }

  /** Makes room for one more metric. */
  widen(): void {
    const before = this.#metrics * WIDTH;
    this.#metrics++;
    const stride = this.#metrics * WIDTH;
    this.#rows = this.#rows.map((row) => {
      const wider = new Float64Array(SLOTS * stride);
      for (let slot = 0; slot < SLOTS; slot++)
        wider.set(row.subarray(slot * before, (slot + 1) * before), slot * stride);
      return wider;
    });
    const all = new Float64Array(stride);
    all.set(this.all);
    this.all = all;
    this.#after = new Float64Array(stride);
    this.bestAfter = new Float64Array(stride);
  }

  /** Adds the statistics of one metric's warm-up to what was before everything. */
  addBefore(metric: number, statistics: Float64Array): void {
    for (let i = 0; i < WIDTH; i++) this.all[metric * WIDTH + i]! += statistics[i]!;
  }

  /** Adds one signal's statistics. */
  push(statistics: Float64Array): void {
    for (let i = 0; i < statistics.length; i++) this.all[i]! += statistics[i]!;
    this.#append(0, statistics, 0);
    for (let row = 0; this.#counts[row] === SLOTS; row++) {
      if (row + 1 === MAX_ROWS) this.#forgetOldest(row);
      else this.#mergeOldest(row);
    }
  }

  #forgetOldest(row: number): void {
    const stride = this.#metrics * WIDTH;
    const buckets = this.#rows[row]!;
    for (let i = 0; i < stride; i++) this.all[i]! -= buckets[i]!;
    buckets.copyWithin(0, stride);
    this.#counts[row]!--;
  }

  #append(row: number, from: Float64Array, at: number): void {
    const stride = this.#metrics * WIDTH;
    if (row === this.#rows.length) {
      this.#rows.push(new Float64Array(SLOTS * stride));
      this.#counts.push(0);
    }
    const to = this.#counts[row]!++ * stride;
    const target = this.#rows[row]!;
    for (let i = 0; i < stride; i++) target[to + i] = from[at + i]!;
  }

  #mergeOldest(row: number): void {
    const stride = this.#metrics * WIDTH;
    const buckets = this.#rows[row]!;
    for (let i = 0; i < stride; i++) buckets[i]! += buckets[stride + i]!;
    this.#append(row + 1, buckets, 0);
    buckets.copyWithin(0, 2 * stride);
    this.#counts[row]! -= 2;
  }

  /**
   * The supposed change point that explains the present best, among those due at `time` (the last few at every step, older ones less
   * often): the sum over the metrics of what their log likelihood ratio has above `softThreshold`. Afterwards `bestLength` is the
   * number of signals since that point, and `bestAfter` has their statistics.
   */
  scan(time: number, discrete: Uint8Array, softThreshold: number): number {
    const stride = this.#metrics * WIDTH;
    const all = this.all;
    const after = this.#after.fill(0);
    let length = 0;
    let best = 0;
    for (let row = 0; row < this.#rows.length; row++) {
      if (row >= DENSE_ROWS && time % 2 ** (row - DENSE_ROWS + 1) !== 0) break;
      const buckets = this.#rows[row]!;
      for (let slot = this.#counts[row]! - 1; slot >= 0; slot--) {
        const from = slot * stride;
        for (let i = 0; i < stride; i++) after[i]! += buckets[from + i]!;
        length += 1 << row;
        let sum = 0;
        for (let metric = 0, at = 0; at < stride; metric++, at += WIDTH) {
          const ratio =
            discrete[metric] === 1
              ? cellsLikelihoodRatio(all, after, at)
              : scoresLikelihoodRatio(all, after, at);
          if (ratio > softThreshold) sum += ratio - softThreshold;
        }
        if (sum <= best) continue;
        best = sum;
        this.bestLength = length;
        this.bestAfter.set(after);
      }
    }
    return best;
  }

  toJSON(): JsonObject {
    const stride = this.#metrics * WIDTH;
    return {
      metrics: this.#metrics,
      all: [...this.all],
      rows: this.#rows.map((row, r) => [...row.subarray(0, this.#counts[r]! * stride)]),
    };
  }

  static fromJSON(json: unknown, maxMetrics: number): History {
    const reader = new JsonReader(json, "history");
    const history = new History();
    const metrics = reader.integer("metrics", 0, maxMetrics);
    for (let i = 0; i < metrics; i++) history.widen();
    const stride = metrics * WIDTH;
    history.all.set(reader.numbers("all", stride));
    for (const row of reader.rows("rows", MAX_ROWS, MAX_BUCKETS * stride)) {
      reader.check(stride === 0 || row.length % stride === 0, "a row does not hold whole buckets");
      const buckets = new Float64Array(SLOTS * stride);
      buckets.set(row);
      history.#rows.push(buckets);
      history.#counts.push(stride === 0 ? 0 : Math.floor(row.length / stride));
    }
    return history;
  }
}
