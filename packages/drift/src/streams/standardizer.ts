import { type JsonObject, JsonReader } from "../json.js";

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
    return this.#n > 1 ? Math.sqrt(this.#squares / (this.#n - 1)) || Number.MIN_VALUE : 1;
  }

  /** Learns from the first values; after that, gives each value in standard deviations from the mean. */
  standardize(x: number): number | undefined {
    if (this.#n >= this.#warmUp) return (x - this.#mean) / this.sd;
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
    const standardizer = new Standardizer(reader.integer("warmUp"));
    standardizer.#n = reader.integer("n");
    standardizer.#mean = reader.number("mean");
    standardizer.#squares = reader.number("squares");
    return standardizer;
  }
}
