import { type JsonObject, JsonReader } from "../json.js";
import { withinRange } from "../math/magnitude.js";
import { requireOption, type StreamDetector, type StreamEvidence } from "./stream-detector.js";

/** Options of {@link HddmW}. */
export interface HddmWOptions {
  /** Probability of a false alarm in one test. @default 0.001 */
  readonly driftConfidence?: number;
  /** The same for a warning. @default 0.005 */
  readonly warnConfidence?: number;
  /** Weight of the newest value, in (0, 1]. @default 0.05 */
  readonly lambda?: number;
  /** Also report a fall of the mean. @default false */
  readonly twoSided?: boolean;
}

/**
 * HDDM_W, for values in 0..1: McDiarmid's bound on the difference of two exponentially weighted means, before and after the best cut
 * point. O(1). Detection indices equal those of river 0.19.
 *
 * Source: I. Frías-Blanco et al., "Online and non-parametric drift detection methods based on Hoeffding's bounds", IEEE TKDE 27 (2015).
 */
export class HddmW implements StreamDetector {
  readonly #drift: number;
  readonly #warn: number;
  readonly #lambda: number;
  readonly #twoSided: boolean;
  #all: Sample;
  #up: Cut;
  #down: Cut;
  #drifted = false;

  constructor(options: HddmWOptions = {}) {
    this.#drift = options.driftConfidence ?? 0.001;
    this.#warn = options.warnConfidence ?? 0.005;
    this.#lambda = options.lambda ?? 0.05;
    this.#twoSided = options.twoSided ?? false;
    requireOption(
      "HDDM_W",
      "driftConfidence",
      this.#drift,
      this.#drift > 0 && this.#drift < 1,
      "a probability",
    );
    requireOption(
      "HDDM_W",
      "warnConfidence",
      this.#warn,
      this.#warn >= this.#drift && this.#warn < 1,
      "at least driftConfidence",
    );
    requireOption(
      "HDDM_W",
      "lambda",
      this.#lambda,
      this.#lambda > 0 && this.#lambda <= 1,
      "a weight in (0, 1]",
    );
    this.#all = newSample();
    this.#up = newCut();
    this.#down = newCut();
  }

  update(value: number): StreamEvidence | undefined {
    if (!Number.isFinite(value)) return undefined;
    const x = withinRange(value);
    if (this.#drifted) {
      this.#all = newSample();
      this.#up = newCut();
      this.#down = newCut();
      this.#drifted = false;
    }
    this.#add(this.#all, x);
    this.#move(this.#up, x, 1);
    const rise = this.#test(this.#up, 1);
    this.#move(this.#down, x, -1);
    const evidence = rise ?? (this.#twoSided ? this.#test(this.#down, -1) : undefined);
    this.#drifted = evidence?.level === "drift";
    return evidence;
  }

  #add(sample: Sample, x: number): void {
    sample.mean = sample.n === 0 ? x : this.#lambda * x + (1 - this.#lambda) * sample.mean;
    sample.n++;
    sample.spread = this.#lambda * this.#lambda + (1 - this.#lambda) ** 2 * sample.spread;
  }

  /** The cut moves to now while that gives the lowest (highest) bound on the mean; otherwise the value is after the cut. */
  #move(cut: Cut, x: number, sign: 1 | -1): void {
    const bound = sign * this.#all.mean + Math.sqrt((this.#all.spread * Math.log(1 / this.#drift)) / 2);
    if (cut.bound === null || bound < cut.bound) {
      cut.bound = bound;
      cut.before = { ...this.#all };
      cut.after = newSample();
    } else this.#add(cut.after, x);
  }

  #test(cut: Cut, sign: 1 | -1): StreamEvidence | undefined {
    if (cut.before.n === 0 || cut.after.n === 0) return undefined;
    const spread = cut.before.spread + cut.after.spread;
    const difference = sign * (cut.after.mean - cut.before.mean);
    const threshold = Math.sqrt((spread * Math.log(1 / this.#drift)) / 2);
    const drift = difference > threshold;
    if (!drift && !(difference > Math.sqrt((spread * Math.log(1 / this.#warn)) / 2))) return undefined;
    const level = drift ? "drift" : "warn";
    return {
      level,
      before: cut.before.mean,
      after: cut.after.mean,
      window: cut.after.n,
      statistic: difference,
      threshold,
    };
  }

  toJSON(): JsonObject {
    const cut = (c: Cut): JsonObject => ({ bound: c.bound, before: { ...c.before }, after: { ...c.after } });
    return {
      driftConfidence: this.#drift,
      warnConfidence: this.#warn,
      lambda: this.#lambda,
      twoSided: this.#twoSided,
      all: { ...this.#all },
      up: cut(this.#up),
      down: cut(this.#down),
      drifted: this.#drifted,
    };
  }

  static fromJSON(json: unknown): HddmW {
    const reader = new JsonReader(json, "HddmW");
    const hddm = new HddmW({
      driftConfidence: reader.number("driftConfidence"),
      warnConfidence: reader.number("warnConfidence"),
      lambda: reader.number("lambda"),
      twoSided: reader.boolean("twoSided"),
    });
    hddm.#all = readSample(reader.object("all"));
    hddm.#up = readCut(reader.object("up"));
    hddm.#down = readCut(reader.object("down"));
    hddm.#drifted = reader.boolean("drifted");
    return hddm;
  }
}

/** An exponentially weighted mean and the sum of its squared weights. */
interface Sample {
  n: number;
  mean: number;
  spread: number;
}

interface Cut {
  bound: number | null;
  before: Sample;
  after: Sample;
}

const newSample = (): Sample => ({ n: 0, mean: 0, spread: 1 });
const newCut = (): Cut => ({ bound: null, before: newSample(), after: newSample() });

function readSample(reader: JsonReader): Sample {
  return { n: reader.integer("n"), mean: reader.number("mean"), spread: reader.number("spread") };
}

function readCut(reader: JsonReader): Cut {
  return {
    bound: reader.numberOrNull("bound"),
    before: readSample(reader.object("before")),
    after: readSample(reader.object("after")),
  };
}
