import { type JsonObject, JsonReader } from "../json.js";
import { normalQuantile } from "../math/normal-quantile.js";
import { Random } from "../math/random.js";

const CAPACITY = 512;
/** Older values fade: the sample is of about the last so many. */
const MEMORY = 4096;
const SEED = 12_345;

/**
 * A sample of what a metric was over the last few thousand values, kept sorted; it turns a value into its normal score: the quantile of the
 * standard normal distribution at the value's mid-rank. Scores of an unchanged stream are close to normal whatever its own distribution
 * is (durations, heavy tails), so one threshold serves all metrics, and no scale or log has to be chosen.
 *
 * Sources: J. S. Vitter, "Random sampling with a reservoir", ACM TOMS 11 (1985); B. L. van der Waerden, "Order tests for the
 * two-sample problem", Indag. Math. 14 (1952).
 */
export class Reservoir {
  readonly #sorted = new Float64Array(CAPACITY);
  #size = 0;
  #seen = 0;
  readonly #random = new Random(SEED);

  /** Number of values added. */
  get seen(): number {
    return this.#seen;
  }

  /** The middle value. */
  median(): number {
    return this.#size === 0 ? 0 : this.#sorted[this.#size >> 1]!;
  }

  score(x: number): number {
    const below = this.#firstAtLeast(x);
    let upTo = below;
    while (upTo < this.#size && this.#sorted[upTo] === x && upTo - below < 8) upTo++;
    if (upTo - below === 8) upTo = this.#firstAbove(x);
    return normalQuantile(((below + upTo) / 2 + 0.5) / (this.#size + 1));
  }

  add(x: number): void {
    this.#seen++;
    if (this.#size < CAPACITY) {
      const at = this.#firstAtLeast(x);
      this.#sorted.copyWithin(at + 1, at, this.#size);
      this.#sorted[at] = x;
      this.#size++;
    } else if (this.#random.next() * Math.min(this.#seen, MEMORY) < CAPACITY)
      this.#replace(this.#random.below(CAPACITY), x);
  }

  #replace(slot: number, x: number): void {
    const at = this.#firstAtLeast(x);
    if (at <= slot) {
      this.#sorted.copyWithin(at + 1, at, slot);
      this.#sorted[at] = x;
    } else {
      this.#sorted.copyWithin(slot, slot + 1, at);
      this.#sorted[at - 1] = x;
    }
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

  #firstAbove(x: number): number {
    let low = 0;
    let high = this.#size;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#sorted[middle]! <= x) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  toJSON(): JsonObject {
    return {
      sorted: [...this.#sorted.subarray(0, this.#size)],
      seen: this.#seen,
      random: this.#random.state,
    };
  }

  static fromJSON(json: unknown): Reservoir {
    const reader = new JsonReader(json, "reservoir");
    const reservoir = new Reservoir();
    const sorted = reader.numbers("sorted", CAPACITY);
    reservoir.#sorted.set(sorted);
    reservoir.#size = sorted.length;
    reservoir.#seen = reader.integer("seen");
    reservoir.#random.state = reader.number("random") | 0;
    return reservoir;
  }
}
