import { type JsonObject, JsonReader } from "../json.js";
import { Standardizer } from "./standardizer.js";
import { requireOption, type StreamDetector, type StreamEvidence } from "./stream-detector.js";

/** Options of {@link Ewma}. */
export interface EwmaOptions {
  /** First values, from which mean and standard deviation are learned. @default 100 */
  readonly warmUp?: number;
  /** Weight of the newest value, in (0, 1]; smaller finds smaller shifts, later. @default 0.1 */
  readonly lambda?: number;
  /** Width of the control limits, in standard deviations of the average. @default 4 */
  readonly limit?: number;
}

/**
 * The EWMA chart: an exponentially weighted average of standardized values against its own control limits, two-sided. Mean and
 * scale are learned from the first values; when these are all equal, any other value is a shift. O(1).
 *
 * Source: S. W. Roberts, "Control chart tests based on geometric moving averages", Technometrics 1 (1959).
 */
export class Ewma implements StreamDetector {
  readonly #lambda: number;
  readonly #limit: number;
  #standard: Standardizer;
  #average = 0;
  #steps = 0;

  constructor(options: EwmaOptions = {}) {
    const warmUp = options.warmUp ?? 100;
    this.#lambda = options.lambda ?? 0.1;
    this.#limit = options.limit ?? 4;
    requireOption("EWMA", "warmUp", warmUp, Number.isInteger(warmUp) && warmUp >= 2, "at least 2 values");
    requireOption(
      "EWMA",
      "lambda",
      this.#lambda,
      this.#lambda > 0 && this.#lambda <= 1,
      "a weight in (0, 1]",
    );
    requireOption("EWMA", "limit", this.#limit, this.#limit > 0, "a number above 0");
    this.#standard = new Standardizer(warmUp);
  }

  update(x: number): StreamEvidence | undefined {
    const z = Number.isFinite(x) ? this.#standard.standardize(x) : undefined;
    if (z === undefined) return undefined;
    this.#steps++;
    this.#average += this.#lambda * (z - this.#average);
    const spread = (this.#lambda / (2 - this.#lambda)) * (1 - (1 - this.#lambda) ** (2 * this.#steps));
    const statistic = Math.abs(this.#average) / Math.sqrt(spread);
    if (statistic <= this.#limit) return undefined;
    const before = this.#standard.mean;
    const after = this.#standard.restore(this.#average);
    const window = Math.max(1, Math.min(this.#steps, Math.round(2 / this.#lambda - 1)));
    this.#standard.clear();
    this.#average = 0;
    this.#steps = 0;
    return { level: "drift", before, after, window, statistic, threshold: this.#limit };
  }

  toJSON(): JsonObject {
    return {
      lambda: this.#lambda,
      limit: this.#limit,
      standard: this.#standard.toJSON(),
      average: this.#average,
      steps: this.#steps,
    };
  }

  static fromJSON(json: unknown): Ewma {
    const reader = new JsonReader(json, "Ewma");
    const ewma = new Ewma({ lambda: reader.number("lambda"), limit: reader.number("limit") });
    ewma.#standard = Standardizer.fromJSON(reader.value("standard"));
    ewma.#average = reader.number("average");
    ewma.#steps = reader.integer("steps");
    return ewma;
  }
}
