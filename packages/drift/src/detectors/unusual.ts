import { CkptError } from "@ckpt/errors";
import type { Detector, DetectorContext, DetectorEvidence, DetectorJson } from "../detector.js";
import { JsonReader } from "../json.js";
import { withinRange } from "../math/magnitude.js";
import type { Signal } from "../signal.js";
import { TailSample } from "../unusual/tail-sample.js";

const TYPE = "unusual";
const MAX_PERIOD = 10_000;
/** Values whose mean is watched besides each value's deviation from its season. */
const LEVEL_WINDOW = 10;
/** Rounds of the period before the season says anything, and the weight of the newest round, at least. */
const SEASON_ROUNDS = 3;
const SEASON_RATE = 0.1;
/** Mean surprise (-log10 p over three views) that is reported; chosen on labelled series. */
const THRESHOLD = 1.75;
/** After a report the detector is silent for so many signals: one trouble, one report. */
const REFRACTORY = 200;

/** Options of {@link unusual}. */
export interface UnusualOptions {
  /** Signals per season (a day of 5-minute samples: 288), at most 10,000. 1 means no season. @default 1 */
  readonly period?: number;
}

/**
 * Single unusual stretches of one metric (a spike, a drop, a break of the daily rhythm), as a warning: what passes by itself is no
 * drift. The surprise is the mean of -log10 of three tail probabilities under the metric's own past: of the deviation from the season's usual
 * value, and of a high and of a low mean of the last ten values. After a report it is silent for 200 signals. Warm-up: 50 values.
 *
 * Not among the default detectors: it is meant for operational series with a rhythm.
 *
 * @param metric name of the metric to watch.
 */
export function unusual(metric: string, options: UnusualOptions = {}): Detector {
  const period = options.period ?? 1;
  if (!Number.isInteger(period) || period < 1 || period > MAX_PERIOD) {
    throw new CkptError("CKPT_INVALID_ARGUMENT", {
      message: `unusual(): period is ${period}.`,
      hint: `Give the number of signals per season, a whole number in 1..${MAX_PERIOD}; 1 for none.`,
    });
  }
  return new Unusual(metric, period);
}

class Unusual implements Detector {
  readonly name: string;
  readonly #metric: string;
  readonly #seasonMean: Float64Array;
  readonly #seasonCount: Float64Array;
  #deviation = new TailSample();
  #high = new TailSample();
  #low = new TailSample();
  #recent: number[] = [];
  #seen = 0;
  #silent = 0;
  #surprise = 0;

  constructor(metric: string, period: number) {
    this.name = `${TYPE} ${metric}`;
    this.#metric = metric;
    this.#seasonMean = new Float64Array(period);
    this.#seasonCount = new Float64Array(period);
  }

  observe(signal: Signal, context: DetectorContext): DetectorEvidence | undefined {
    const metrics = signal.metrics;
    const value =
      metrics !== undefined && Object.hasOwn(metrics, this.#metric) ? metrics[this.#metric] : undefined;
    this.#surprise = 0;
    if (value === undefined || !Number.isFinite(value)) return undefined;
    const x = withinRange(value);
    const usual = this.#seasonMean[this.#seen % this.#seasonMean.length]!;
    this.#surprise = this.#take(x);
    if (this.#silent > 0) {
      this.#silent--;
      this.#surprise = 0;
      return undefined;
    }
    if (this.#surprise < THRESHOLD) return undefined;
    this.#silent = REFRACTORY;
    return {
      metric: this.#metric,
      level: "warn",
      before: usual,
      after: x,
      window: Math.min(LEVEL_WINDOW, this.#recent.length),
      since: context.index,
      confidence: 1 - 10 ** -this.#surprise,
      message: `${this.#metric} is ${x.toPrecision(4)}, which is unusual for it (usually about ${usual.toPrecision(4)}).`,
      suggestion: "Look at what happened at this step; if it goes on, it will be reported as a shift.",
    };
  }

  #take(x: number): number {
    this.#recent.push(x);
    if (this.#recent.length > LEVEL_WINDOW) this.#recent.shift();
    const level = this.#recent.reduce((a, b) => a + b, 0) / this.#recent.length;
    const slot = this.#seen++ % this.#seasonMean.length;
    const rounds = this.#seasonCount[slot]!;
    const deviation = rounds < SEASON_ROUNDS ? 0 : Math.abs(x - this.#seasonMean[slot]!);
    this.#seasonCount[slot] = rounds + 1;
    this.#seasonMean[slot]! += (x - this.#seasonMean[slot]!) * Math.max(1 / (rounds + 1), SEASON_RATE);
    return (this.#deviation.take(deviation) + this.#high.take(level) + this.#low.take(-level)) / 3;
  }

  score(): number {
    return 1 - 10 ** -this.#surprise;
  }

  acknowledge(): void {
    this.#silent = 0;
    this.#surprise = 0;
  }

  reset(): void {
    this.acknowledge();
    this.#seasonMean.fill(0);
    this.#seasonCount.fill(0);
    this.#deviation = new TailSample();
    this.#high = new TailSample();
    this.#low = new TailSample();
    this.#recent = [];
    this.#seen = 0;
  }

  toJSON(): DetectorJson {
    return {
      type: TYPE,
      name: this.name,
      metric: this.#metric,
      seasonMean: [...this.#seasonMean],
      seasonCount: [...this.#seasonCount],
      deviation: this.#deviation.toJSON(),
      high: this.#high.toJSON(),
      low: this.#low.toJSON(),
      recent: [...this.#recent],
      seen: this.#seen,
      silent: this.#silent,
      surprise: this.#surprise,
    };
  }

  static fromJSON(json: DetectorJson): Detector {
    const reader = new JsonReader(json, TYPE);
    const means = reader.numbers("seasonMean", MAX_PERIOD);
    const detector = new Unusual(reader.string("metric"), Math.max(1, means.length));
    detector.#seasonMean.set(means);
    detector.#seasonCount.set(reader.numbers("seasonCount", means.length));
    detector.#deviation = TailSample.fromJSON(reader.value("deviation"));
    detector.#high = TailSample.fromJSON(reader.value("high"));
    detector.#low = TailSample.fromJSON(reader.value("low"));
    detector.#recent = reader.numbers("recent", LEVEL_WINDOW);
    detector.#seen = reader.integer("seen");
    detector.#silent = reader.integer("silent");
    detector.#surprise = reader.number("surprise");
    return detector;
  }
}

export const readUnusual = Unusual.fromJSON;
