import { type JsonObject, JsonReader } from "../json.js";
import { withinRange } from "../math/magnitude.js";
import { Random } from "../math/random.js";
import { requireOption, type StreamDetector, type StreamEvidence } from "./stream-detector.js";

const MAX_WINDOW = 10_000;
/** Smaller distances are never reported, as in the reference implementation. */
const SMALLEST_DISTANCE = 0.1;

/** Options of {@link Kswin}. */
export interface KswinOptions {
  /** Significance of one test. @default 0.005 */
  readonly alpha?: number;
  /** Values in the sliding window, at most 10,000. @default 100 */
  readonly windowSize?: number;
  /** Newest values that are compared with as many older ones. @default 30 */
  readonly statSize?: number;
  /** Seed of the sampling of older values. @default 1 */
  readonly seed?: number;
}

/**
 * KSWIN: the newest values of a sliding window against a random sample of its older ones, by the exact two-sample Kolmogorov-Smirnov
 * test. Sees any change of the distribution; tests at every value, so `alpha` is far from a false alarm rate. Memory:
 * the window. Draws its sample from another generator than river's: the same statistics, not the same indices.
 *
 * Source: C. Raab, M. Heusinger, F.-M. Schleif, "Reactive soft prototype computing for concept drift streams", Neurocomputing 416 (2020).
 */
export class Kswin implements StreamDetector {
  readonly #alpha: number;
  readonly #windowSize: number;
  readonly #statSize: number;
  readonly #seed: number;
  #window: number[] = [];
  #random: Random;
  #drifted = false;

  constructor(options: KswinOptions = {}) {
    this.#alpha = options.alpha ?? 0.005;
    this.#windowSize = options.windowSize ?? 100;
    this.#statSize = options.statSize ?? 30;
    this.#seed = options.seed ?? 1;
    const whole = Number.isInteger(this.#windowSize) && this.#windowSize <= MAX_WINDOW;
    requireOption("KSWIN", "windowSize", this.#windowSize, whole, `a whole number up to ${MAX_WINDOW}`);
    const fits =
      Number.isInteger(this.#statSize) && this.#statSize > 0 && 2 * this.#statSize <= this.#windowSize;
    requireOption("KSWIN", "statSize", this.#statSize, fits, "at most half of windowSize");
    requireOption("KSWIN", "alpha", this.#alpha, this.#alpha > 0 && this.#alpha < 1, "a probability");
    requireOption("KSWIN", "seed", this.#seed, Number.isSafeInteger(this.#seed), "a whole number");
    this.#random = new Random(this.#seed);
  }

  update(x: number): StreamEvidence | undefined {
    if (!Number.isFinite(x)) return undefined;
    if (this.#drifted) {
      this.#window = [];
      this.#random = new Random(this.#seed);
      this.#drifted = false;
    }
    this.#window.push(withinRange(x));
    if (this.#window.length > this.#windowSize) this.#window.shift();
    if (this.#window.length < this.#windowSize) return undefined;
    const recent = this.#window.slice(-this.#statSize);
    const older = this.#sample(this.#windowSize - this.#statSize);
    const steps = largestStep(older, recent);
    const distance = steps / this.#statSize;
    if (distance <= SMALLEST_DISTANCE || exactPValue(steps, this.#statSize) > this.#alpha) return undefined;
    this.#drifted = true;
    return {
      level: "drift",
      before: mean(older),
      after: mean(recent),
      window: this.#statSize,
      statistic: distance,
      threshold: this.#alpha,
    };
  }

  /** `statSize` of the oldest `n` values, without replacement (a partial Fisher-Yates shuffle). */
  #sample(n: number): number[] {
    const values = this.#window.slice(0, n);
    for (let i = 0; i < this.#statSize; i++) {
      const j = i + this.#random.below(n - i);
      [values[i], values[j]] = [values[j]!, values[i]!];
    }
    return values.slice(0, this.#statSize);
  }

  toJSON(): JsonObject {
    return {
      alpha: this.#alpha,
      windowSize: this.#windowSize,
      statSize: this.#statSize,
      seed: this.#seed,
      window: [...this.#window],
      random: this.#random.state,
      drifted: this.#drifted,
    };
  }

  static fromJSON(json: unknown): Kswin {
    const reader = new JsonReader(json, "Kswin");
    const kswin = new Kswin({
      alpha: reader.number("alpha"),
      windowSize: reader.number("windowSize"),
      statSize: reader.number("statSize"),
      seed: reader.number("seed"),
    });
    kswin.#window = reader.numbers("window", kswin.#windowSize);
    kswin.#random.state = reader.number("random") | 0;
    kswin.#drifted = reader.boolean("drifted");
    return kswin;
  }
}

/** The largest difference of the two empirical distribution functions, in units of 1/n; both samples have n values. */
function largestStep(a: readonly number[], b: readonly number[]): number {
  const left = [...a].sort((x, y) => x - y);
  const right = [...b].sort((x, y) => x - y);
  let largest = 0;
  for (let i = 0, j = 0; i < left.length && j < right.length; ) {
    const x = Math.min(left[i]!, right[j]!);
    while (i < left.length && left[i]! <= x) i++;
    while (j < right.length && right[j]! <= x) j++;
    largest = Math.max(largest, Math.abs(i - j));
  }
  return largest;
}

/**
 * P(largest step >= k) for two samples of n from one continuous distribution: 2 (C(2n, n-k) - C(2n, n-2k) + ...) / C(2n, n), by the
 * reflection principle. Source: B. V. Gnedenko, V. S. Korolyuk, Dokl. Akad. Nauk SSSR 80 (1951).
 */
function exactPValue(k: number, n: number): number {
  if (k === 0) return 1;
  let sum = 0;
  for (let j = 1; j * k <= n; j++) {
    let share = 1;
    for (let i = 0; i < j * k; i++) share *= (n - i) / (n + i + 1);
    sum += j % 2 === 1 ? share : -share;
  }
  return Math.min(1, 2 * sum);
}

function mean(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0) / values.length;
}
