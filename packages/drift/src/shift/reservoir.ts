import { type JsonObject, JsonReader } from "../json.js";
import { normalQuantile } from "../math/normal-quantile.js";
import { SortedSample } from "../math/sorted-sample.js";

const CAPACITY = 512;
/** Older values fade: the sample is of about the last so many. */
const MEMORY = 4096;
const SEED = 12_345;
/** So many equal values are counted one by one before they are looked for by halving. */
const FEW_EQUAL = 8;

/**
 * A sample of what a metric was over the last few thousand values, kept sorted; it turns a value into its normal score: the quantile of the
 * standard normal distribution at the value's mid-rank. Scores of an unchanged stream are close to normal whatever its own distribution
 * is (durations, heavy tails), so one threshold serves all metrics, and no scale or log has to be chosen.
 *
 * Sources: J. S. Vitter, "Random sampling with a reservoir", ACM TOMS 11 (1985); B. L. van der Waerden, "Order tests for the
 * two-sample problem", Indag. Math. 14 (1952).
 */
export class Reservoir {
  readonly #sample = new SortedSample(CAPACITY, SEED);
  #seen = 0;

  /** Number of values added. */
  get seen(): number {
    return this.#seen;
  }

  /** The middle value. */
  median(): number {
    const { size } = this.#sample;
    return size === 0 ? 0 : this.#sample.at(size >> 1);
  }

  score(x: number): number {
    const { size } = this.#sample;
    const below = this.#sample.countBelow(x);
    let upTo = below;
    while (upTo < size && this.#sample.at(upTo) === x && upTo - below < FEW_EQUAL) upTo++;
    if (upTo - below === FEW_EQUAL) upTo = this.#sample.countUpTo(x);
    return normalQuantile(((below + upTo) / 2 + 0.5) / (size + 1));
  }

  add(x: number): void {
    this.#seen++;
    if (!this.#sample.isFull) this.#sample.add(x);
    else if (this.#sample.random.next() * Math.min(this.#seen, MEMORY) < CAPACITY) this.#sample.replaceAny(x);
  }

  toJSON(): JsonObject {
    return { sorted: this.#sample.values(), seen: this.#seen, random: this.#sample.random.state };
  }

  static fromJSON(json: unknown): Reservoir {
    const reader = new JsonReader(json, "reservoir");
    const reservoir = new Reservoir();
    const sorted = reader.numbers("sorted", CAPACITY);
    reservoir.#seen = reader.integer("seen");
    reservoir.#sample.restore(sorted, reader.number("random"));
    return reservoir;
  }
}
