import { type JsonObject, JsonReader } from "../json.js";
import { Standardizer } from "./standardizer.js";
import { requireOption, type StreamDetector, type StreamEvidence } from "./stream-detector.js";

/** Options of {@link Cusum}. */
export interface CusumOptions {
  /** First values, from which mean and standard deviation are learned. @default 100 */
  readonly warmUp?: number;
  /** Half of the shift to be found soonest, in standard deviations. @default 0.5 */
  readonly slack?: number;
  /** Alarm threshold, in standard deviations. @default 8 */
  readonly threshold?: number;
}

/**
 * The two-sided CUSUM chart on standardized values: optimal for a shift of `2 * slack` standard deviations, for normal, uncorrelated
 * values. Mean and scale are learned from the first values; when these are all equal, any other value is a shift. O(1).
 *
 * Source: E. S. Page, "Continuous inspection schemes", Biometrika 41 (1954).
 */
export class Cusum implements StreamDetector {
  readonly #slack: number;
  readonly #threshold: number;
  #standard: Standardizer;
  #up = 0;
  #down = 0;
  #upSteps = 0;
  #downSteps = 0;

  constructor(options: CusumOptions = {}) {
    const warmUp = options.warmUp ?? 100;
    this.#slack = options.slack ?? 0.5;
    this.#threshold = options.threshold ?? 8;
    requireOption("CUSUM", "warmUp", warmUp, Number.isInteger(warmUp) && warmUp >= 2, "at least 2 values");
    requireOption("CUSUM", "slack", this.#slack, this.#slack >= 0, "a number from 0 on");
    requireOption("CUSUM", "threshold", this.#threshold, this.#threshold > 0, "a number above 0");
    this.#standard = new Standardizer(warmUp);
  }

  update(x: number): StreamEvidence | undefined {
    const z = Number.isFinite(x) ? this.#standard.standardize(x) : undefined;
    if (z === undefined) return undefined;
    this.#up = Math.max(0, this.#up + z - this.#slack);
    this.#down = Math.max(0, this.#down - z - this.#slack);
    this.#upSteps = this.#up === 0 ? 0 : this.#upSteps + 1;
    this.#downSteps = this.#down === 0 ? 0 : this.#downSteps + 1;
    const rising = this.#up >= this.#down;
    const statistic = rising ? this.#up : this.#down;
    if (statistic <= this.#threshold) return undefined;
    const window = rising ? this.#upSteps : this.#downSteps;
    const shift = statistic / window + this.#slack;
    const before = this.#standard.mean;
    const after = this.#standard.restore(rising ? shift : -shift);
    this.#standard.clear();
    this.#up = this.#down = this.#upSteps = this.#downSteps = 0;
    return { level: "drift", before, after, window, statistic, threshold: this.#threshold };
  }

  toJSON(): JsonObject {
    return {
      slack: this.#slack,
      threshold: this.#threshold,
      standard: this.#standard.toJSON(),
      up: this.#up,
      down: this.#down,
      upSteps: this.#upSteps,
      downSteps: this.#downSteps,
    };
  }

  static fromJSON(json: unknown): Cusum {
    const reader = new JsonReader(json, "Cusum");
    const cusum = new Cusum({ slack: reader.number("slack"), threshold: reader.number("threshold") });
    cusum.#standard = Standardizer.fromJSON(reader.value("standard"));
    cusum.#up = reader.number("up");
    cusum.#down = reader.number("down");
    cusum.#upSteps = reader.integer("upSteps");
    cusum.#downSteps = reader.integer("downSteps");
    return cusum;
  }
}
