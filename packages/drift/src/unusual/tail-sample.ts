import { type JsonObject, JsonReader } from "../json.js";
import { SortedSample } from "../math/sorted-sample.js";

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
  readonly #sample = new SortedSample(CAPACITY, SEED);
  #seen = 0;

  /** The surprise at `x`, given the past; then `x` is part of the past. */
  take(x: number): number {
    const surprise = this.#sample.size < WARM_UP ? 0 : this.#surprise(x);
    this.#add(x);
    return surprise;
  }

  #surprise(x: number): number {
    const n = this.#sample.size;
    const above = n - this.#sample.countBelow(x);
    const byRank = (above + 1) / (n + 1);
    const k = Math.max(TAIL_MIN, Math.floor(n * TAIL_SHARE));
    const threshold = this.#sample.at(n - k);
    if (x <= threshold) return -Math.log10(byRank);
    let sum = 0;
    for (let i = n - k; i < n; i++) sum += this.#sample.at(i);
    const excess = sum / k - threshold;
    let p = (k / n) * (excess > 0 ? Math.exp(-(x - threshold) / excess) : 1e-3);
    if (above > 0) p = Math.min(p, byRank);
    return -Math.log10(Math.max(p, 0.1 / (n * n)));
  }

  /** A uniform sample of the past: a full one gives up a random value for the new one. */
  #add(x: number): void {
    this.#seen++;
    if (!this.#sample.isFull) this.#sample.add(x);
    else if (this.#sample.random.next() * this.#seen < CAPACITY) this.#sample.replaceAny(x);
  }

  toJSON(): JsonObject {
    return { sorted: this.#sample.values(), seen: this.#seen, random: this.#sample.random.state };
  }

  static fromJSON(json: unknown): TailSample {
    const reader = new JsonReader(json, "tail");
    const tail = new TailSample();
    const sorted = reader.numbers("sorted", CAPACITY);
    tail.#seen = reader.integer("seen");
    tail.#sample.restore(sorted, reader.number("random"));
    return tail;
  }
}
