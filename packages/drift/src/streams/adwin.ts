import { type JsonObject, JsonReader } from "../json.js";
import { withinRange } from "../math/magnitude.js";
import { requireOption, type StreamDetector, type StreamEvidence } from "./stream-detector.js";

/** A row of the exponential histogram holds up to this many buckets; one more, and the two oldest merge into the next row. */
const MAX_BUCKETS = 5;
const SLOTS = MAX_BUCKETS + 1;
/** Rows of buckets of 1, 2, 4, ... observations: enough for 2^40 of them. */
const ROWS = 38;
/** Cuts are tested every so many observations, on sides of at least so many. */
const CLOCK = 32;
const GRACE = 10;
const MIN_SIDE = 5;

/** Options of {@link Adwin}. */
export interface AdwinOptions {
  /** Confidence: smaller means fewer false alarms and longer delays. In (0, 1). @default 0.002 */
  readonly delta?: number;
}

/**
 * ADWIN: a window of recent values that shrinks whenever two large enough parts of it have different means. Blind to changes
 * of the variance. Memory O(log n). Detection indices equal those of river 0.19.
 *
 * Source: A. Bifet, R. Gavaldà, "Learning from time-changing data with adaptive windowing", SIAM Data Mining 2007; variance in an
 * exponential histogram after B. Babcock et al., PODS 2003.
 */
export class Adwin implements StreamDetector {
  readonly #delta: number;
  /** Row r holds buckets of 2^r observations, oldest first. */
  readonly #counts = new Int32Array(ROWS);
  readonly #totals = new Float64Array(ROWS * SLOTS);
  readonly #variances = new Float64Array(ROWS * SLOTS);
  #rows = 1;
  #width = 0;
  #total = 0;
  #variance = 0;
  #tick = 0;
  #drifted = false;
  #cut: StreamEvidence | undefined;

  constructor(options: AdwinOptions = {}) {
    this.#delta = options.delta ?? 0.002;
    requireOption(
      "ADWIN",
      "delta",
      this.#delta,
      this.#delta > 0 && this.#delta < 1,
      "a confidence between 0 and 1",
    );
  }

  /** Observations in the window. */
  get width(): number {
    return this.#width;
  }

  /** Mean of the window. */
  get mean(): number {
    return this.#width === 0 ? 0 : this.#total / this.#width;
  }

  update(x: number): StreamEvidence | undefined {
    if (!Number.isFinite(x)) return undefined;
    if (this.#drifted) this.#clear();
    this.#insert(withinRange(x));
    if (++this.#tick % CLOCK !== 0 || this.#width <= GRACE) return undefined;
    this.#cut = undefined;
    while (this.#shrinkOnce());
    this.#drifted = this.#cut !== undefined;
    return this.#cut;
  }

  #clear(): void {
    this.#counts.fill(0);
    this.#rows = 1;
    this.#width = 0;
    this.#total = 0;
    this.#variance = 0;
    this.#tick = 0;
    this.#drifted = false;
  }

  #insert(x: number): void {
    this.#push(0, x, 0);
    this.#width++;
    if (this.#width > 1) {
      const d = x - this.#total / (this.#width - 1);
      this.#variance += ((this.#width - 1) * d * d) / this.#width;
    }
    this.#total += x;
    if (this.#counts[0] === SLOTS) this.#compress();
  }

  #push(row: number, total: number, variance: number): void {
    const at = row * SLOTS + this.#counts[row]!++;
    this.#totals[at] = total;
    this.#variances[at] = variance;
  }

  /** Removes the oldest `n` buckets of a row. */
  #shift(row: number, n: number): void {
    for (let to = row * SLOTS, end = (row + 1) * SLOTS - n; to < end; to++) {
      this.#totals[to] = this.#totals[to + n]!;
      this.#variances[to] = this.#variances[to + n]!;
    }
    this.#counts[row]! -= n;
  }

  #compress(): void {
    for (let row = 0; this.#counts[row] === SLOTS; row++) {
      if (row + 1 === this.#rows) this.#rows++;
      const at = row * SLOTS;
      const n = 2 ** row;
      const d = this.#totals[at]! / n - this.#totals[at + 1]! / n;
      const between = (n * n * d * d) / (n + n);
      this.#push(
        row + 1,
        this.#totals[at]! + this.#totals[at + 1]!,
        this.#variances[at]! + this.#variances[at + 1]! + between,
      );
      this.#shift(row, 2);
    }
  }

  /** Tests the cuts from old to new; at the first significant one drops the oldest bucket and asks to be called again. */
  #shrinkOnce(): boolean {
    let n0 = 0;
    let n1 = this.#width;
    let u0 = 0;
    let u1 = this.#total;
    const d = Math.log((2 * Math.log(this.#width)) / this.#delta);
    // Of nearly constant values the sums may leave a little less than nothing.
    const variance = Math.max(0, this.#variance) / this.#width;
    // What adding up so many values may lose of a sum: parts of a large value that never changes must not differ by it.
    const rounding = Number.EPSILON * this.#width * Math.abs(this.#total);
    for (let row = this.#rows - 1; row >= 0; row--) {
      const n = 2 ** row;
      // The newest bucket of each row is passed over, as the reference implementation does; its mass stays on the new side.
      for (let k = 0; k < this.#counts[row]! - 1; k++) {
        const u = this.#totals[row * SLOTS + k]!;
        n0 += n;
        n1 -= n;
        u0 += u;
        u1 -= u;
        if (n1 < MIN_SIDE || n0 < MIN_SIDE) continue;
        const m = 1 / (n0 - MIN_SIDE + 1) + 1 / (n1 - MIN_SIDE + 1);
        const epsilon = Math.sqrt(2 * m * variance * d) + (2 / 3) * d * m;
        const difference = u0 / n0 - u1 / n1;
        if (Math.abs(difference) <= epsilon + rounding * (1 / n0 + 1 / n1)) continue;
        this.#cut = {
          level: "drift",
          before: u0 / n0,
          after: u1 / n1,
          window: n1,
          statistic: Math.abs(difference),
          threshold: epsilon,
        };
        this.#dropOldest();
        return true;
      }
    }
    return false;
  }

  #dropOldest(): void {
    const row = this.#rows - 1;
    const n = 2 ** row;
    const u = this.#totals[row * SLOTS]!;
    this.#width -= n;
    this.#total -= u;
    const d = u / n - this.#total / this.#width;
    this.#variance -= this.#variances[row * SLOTS]! + (n * this.#width * d * d) / (n + this.#width);
    this.#shift(row, 1);
    if (this.#counts[row] === 0) this.#rows--;
  }

  toJSON(): JsonObject {
    const rows = (values: Float64Array): number[][] =>
      Array.from({ length: this.#rows }, (_, row) => [
        ...values.subarray(row * SLOTS, row * SLOTS + this.#counts[row]!),
      ]);
    return {
      delta: this.#delta,
      totals: rows(this.#totals),
      variances: rows(this.#variances),
      width: this.#width,
      total: this.#total,
      variance: this.#variance,
      tick: this.#tick,
      drifted: this.#drifted,
    };
  }

  static fromJSON(json: unknown): Adwin {
    const reader = new JsonReader(json, "Adwin");
    const adwin = new Adwin({ delta: reader.number("delta") });
    // One row is left free for the next merge.
    const totals = reader.rows("totals", ROWS - 1, MAX_BUCKETS);
    const variances = reader.rows("variances", totals.length, MAX_BUCKETS);
    for (const [row, values] of totals.entries()) {
      adwin.#totals.set(values, row * SLOTS);
      adwin.#variances.set(variances[row] ?? [], row * SLOTS);
      adwin.#counts[row] = values.length;
    }
    adwin.#rows = Math.max(1, totals.length);
    adwin.#width = reader.integer("width");
    const isWhole =
      totals.every((row, r) => row.length === variances[r]?.length) &&
      (totals.length <= 1 || totals.at(-1)!.length > 0) &&
      totals.reduce((sum, row, r) => sum + row.length * 2 ** r, 0) === adwin.#width;
    reader.check(isWhole, "totals, variances and width do not fit together");
    adwin.#total = reader.number("total");
    adwin.#variance = reader.number("variance");
    adwin.#tick = reader.integer("tick");
    adwin.#drifted = reader.boolean("drifted");
    return adwin;
  }
}
