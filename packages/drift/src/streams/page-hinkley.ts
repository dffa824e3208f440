import { type JsonObject, JsonReader } from "../json.js";
import { withinRange } from "../math/magnitude.js";
import { RunningMean } from "./running-mean.js";
import { requireOption, type StreamDetector, type StreamEvidence } from "./stream-detector.js";

/** Options of {@link PageHinkley}. */
export interface PageHinkleyOptions {
  /** Observations before the first test. @default 30 */
  readonly minObservations?: number;
  /** Drift of the mean that is tolerated, in the stream's unit. @default 0.005 */
  readonly delta?: number;
  /** Alarm threshold on the cumulated deviation, in the stream's unit. @default 50 */
  readonly threshold?: number;
  /** Forgetting factor of the cumulated deviation, in (0, 1]. @default 0.9999 */
  readonly alpha?: number;
}

/**
 * The Page-Hinkley test, two-sided: cumulated deviations from the running mean, against their own minimum (increase) and
 * maximum (decrease). Not self-scaling: the threshold is in the stream's unit. Memory O(1). Detection indices equal those of river 0.19.
 *
 * Sources: E. S. Page, "Continuous inspection schemes", Biometrika 41 (1954); D. V. Hinkley, "Inference about the
 * change-point from cumulative sum tests", Biometrika 58 (1971).
 */
export class PageHinkley implements StreamDetector {
  readonly #minObservations: number;
  readonly #delta: number;
  readonly #threshold: number;
  readonly #alpha: number;
  #mean = new RunningMean();
  #increase = 0;
  #decrease = 0;
  #lowest = 0;
  #highest = 0;
  #sinceLowest = 0;
  #sinceHighest = 0;
  #drifted = false;

  constructor(options: PageHinkleyOptions = {}) {
    this.#minObservations = options.minObservations ?? 30;
    this.#delta = options.delta ?? 0.005;
    this.#threshold = options.threshold ?? 50;
    this.#alpha = options.alpha ?? 1 - 0.0001;
    const few = Number.isInteger(this.#minObservations) && this.#minObservations >= 0;
    requireOption("Page-Hinkley", "minObservations", this.#minObservations, few, "a whole number from 0 on");
    requireOption("Page-Hinkley", "delta", this.#delta, true, "a finite number");
    requireOption("Page-Hinkley", "threshold", this.#threshold, this.#threshold > 0, "a number above 0");
    requireOption(
      "Page-Hinkley",
      "alpha",
      this.#alpha,
      this.#alpha > 0 && this.#alpha <= 1,
      "a factor in (0, 1]",
    );
  }

  update(value: number): StreamEvidence | undefined {
    if (!Number.isFinite(value)) return undefined;
    const x = withinRange(value);
    if (this.#drifted) this.#clear();
    this.#mean.add(x);
    const deviation = x - this.#mean.mean;
    this.#increase = this.#alpha * this.#increase + deviation - this.#delta;
    this.#decrease = this.#alpha * this.#decrease + deviation + this.#delta;
    this.#sinceLowest++;
    this.#sinceHighest++;
    // The first sums are their own extremes.
    if (this.#mean.n === 1 || this.#increase < this.#lowest) {
      this.#lowest = this.#increase;
      this.#sinceLowest = 0;
    }
    if (this.#mean.n === 1 || this.#decrease > this.#highest) {
      this.#highest = this.#decrease;
      this.#sinceHighest = 0;
    }
    if (this.#mean.n < this.#minObservations) return undefined;
    const up = this.#increase - this.#lowest;
    const down = this.#highest - this.#decrease;
    if (up <= this.#threshold && down <= this.#threshold) return undefined;
    this.#drifted = true;
    const window = Math.max(1, up > this.#threshold ? this.#sinceLowest : this.#sinceHighest);
    const statistic = Math.max(up, down);
    const shift = (up > this.#threshold ? up : -down) / window;
    const after = this.#mean.mean + shift;
    return { level: "drift", before: this.#mean.mean, after, window, statistic, threshold: this.#threshold };
  }

  #clear(): void {
    this.#mean.clear();
    this.#increase = 0;
    this.#decrease = 0;
    this.#lowest = 0;
    this.#highest = 0;
    this.#sinceLowest = 0;
    this.#sinceHighest = 0;
    this.#drifted = false;
  }

  toJSON(): JsonObject {
    return {
      minObservations: this.#minObservations,
      delta: this.#delta,
      threshold: this.#threshold,
      alpha: this.#alpha,
      mean: this.#mean.toJSON(),
      increase: this.#increase,
      decrease: this.#decrease,
      lowest: this.#lowest,
      highest: this.#highest,
      sinceLowest: this.#sinceLowest,
      sinceHighest: this.#sinceHighest,
      drifted: this.#drifted,
    };
  }

  static fromJSON(json: unknown): PageHinkley {
    const reader = new JsonReader(json, "PageHinkley");
    const test = new PageHinkley({
      minObservations: reader.number("minObservations"),
      delta: reader.number("delta"),
      threshold: reader.number("threshold"),
      alpha: reader.number("alpha"),
    });
    test.#mean = RunningMean.fromJSON(reader.value("mean"));
    test.#increase = reader.number("increase");
    test.#decrease = reader.number("decrease");
    test.#lowest = reader.number("lowest");
    test.#highest = reader.number("highest");
    test.#sinceLowest = reader.integer("sinceLowest");
    test.#sinceHighest = reader.integer("sinceHighest");
    test.#drifted = reader.boolean("drifted");
    return test;
  }
}
