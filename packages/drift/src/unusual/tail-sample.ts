import { type JsonObject, JsonReader } from "../json.js";
import { Random } from "../math/random.js";

const CAPACITY = 2048;
const SEED = 77;
/** Values before tails are judged. */
const WARM_UP = 50;
/** The largest share of the values that the tail is fitted to, and the fewest. */
const TAIL_SHARE = 0.05;
const TAIL_MIN = 5;

/**
 * How far out in the upper tail of its own past a value lies: -log10 of the probability of so large a value. Within the sample by rank;
 * beyond it by an exponential fitted to the largest twentieth (peaks over a threshold).
 *
 * Source: J. Pickands, "Statistical inference using extreme order statistics", Ann. Statist. 3 (1975).
 */
export class TailSample {
  readonly #sorted = new Float64Array(CAPACITY);
  #size = 0;
  #seen = 0;
  readonly #random = new Random(SEED);

  /** The surprise at `x`, given the past; then `x` is part of the past. */
  take(x: number): number {
    const surprise = this.#size < WARM_UP ? 0 : this.#surprise(x);
    this.#add(x);
    return surprise;
  }

  #surprise(x: number): number {
    const n = this.#size;
    const above = n - this.#firstAtLeast(x);
    const byRank = (above + 1) / (n + 1);
    const k = Math.max(TAIL_MIN, Math.floor(n * TAIL_SHARE));
    const threshold = this.#sorted[n - k]!;
    if (x <= threshold) return -Math.log10(byRank);
    let sum = 0;
    for (let i = n - k; i < n; i++) sum += this.#sorted[i]!;
    const excess = sum / k - threshold;
    let p = (k / n) * (excess > 0 ? Math.exp(-(x - threshold) / excess) : 1e-3);
    if (above > 0) p = Math.min(p, byRank);
    return -Math.log10(Math.max(p, 0.1 / (n * n)));
  }

  #firstAtLeast(x: number): number {
    let low = 0;
    let high = this.#size;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#sorted[middle]! < x) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** A uniform sample of the past: a full one gives up a random value for the new one. */
  #add(x: number): void {
    this.#seen++;
    if (this.#size === CAPACITY) {
      if (this.#random.next() * this.#seen >= CAPACITY) return;
      const slot = this.#random.below(CAPACITY);
      this.#sorted.copyWithin(slot, slot + 1, this.#size--);
    }
    const at = this.#firstAtLeast(x);
    this.#sorted.copyWithin(at + 1, at, this.#size++);
    this.#sorted[at] = x;
  }

  toJSON(): JsonObject {
    return {
      sorted: [...this.#sorted.subarray(0, this.#size)],
      seen: this.#seen,
      random: this.#random.state,
    };
  }

  static fromJSON(json: unknown): TailSample {
    const reader = new JsonReader(json, "tail");
    const sample = new TailSample();
    const sorted = reader.numbers("sorted", CAPACITY);
    sample.#sorted.set(sorted);
    sample.#size = sorted.length;
    sample.#seen = reader.integer("seen");
    sample.#random.state = reader.number("random") | 0;
    return sample;
  }
}
