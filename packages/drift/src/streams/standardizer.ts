import { type JsonObject, JsonReader } from "../json.js";
import { withinRange } from "../math/magnitude.js";

/** The part of a constant that a deviation from it is measured by: nothing else is known of its scale. */
const RESOLUTION = 1e-9;
/** The part of a level that its values, computed in one order or another, differ by: no deviation, and no standard deviation. */
const ROUNDING = 1e-14;
/** Levels below it are none: squares of deviations underflow there. */
const SMALLEST = 1e-100;

/** The unit for deviations from a stream that was `level` without exception. */
export function unitOfConstant(level: number): number {
  return RESOLUTION * (Math.abs(level) > SMALLEST ? Math.abs(level) : 1);
}

/** Mean and standard deviation of a stream's first values: what charts measure deviations against. */
export class Standardizer {
  readonly #warmUp: number;
  #n = 0;
  #mean = 0;
  #squares = 0;

  constructor(warmUp: number) {
    this.#warmUp = warmUp;
  }

  get mean(): number {
    return this.#mean;
  }

  get sd(): number {
    if (this.#n <= 1) return 1;
    const sd = Math.sqrt(this.#squares / (this.#n - 1));
    return sd === 0 ? unitOfConstant(this.#mean) : Math.max(sd, ROUNDING * Math.abs(this.#mean));
  }

  /** Learns from the first values; after that, gives each value in standard deviations from the mean. */
  standardize(value: number): number | undefined {
    const x = withinRange(value);
    if (this.#n >= this.#warmUp) return withinRange((x - this.#mean) / this.sd);
    this.#n++;
    const d = x - this.#mean;
    this.#mean += d / this.#n;
    this.#squares += d * (x - this.#mean);
    return undefined;
  }

  /** A standardized value in the stream's own unit. */
  restore(z: number): number {
    return this.#mean + z * this.sd;
  }

  clear(): void {
    this.#n = 0;
    this.#mean = 0;
    this.#squares = 0;
  }

  toJSON(): JsonObject {
    return { warmUp: this.#warmUp, n: this.#n, mean: this.#mean, squares: this.#squares };
  }

  static fromJSON(json: unknown): Standardizer {
    const reader = new JsonReader(json, "standardizer");
    const standardizer = new Standardizer(reader.integer("warmUp", 2));
    standardizer.#n = reader.integer("n");
    standardizer.#mean = reader.number("mean");
    standardizer.#squares = reader.number("squares");
    return standardizer;
  }
}
