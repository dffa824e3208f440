import { type JsonObject, JsonReader } from "../json.js";
import { withinRange } from "../math/magnitude.js";
import { RunningMean } from "./running-mean.js";
import { requireOption, type StreamDetector, type StreamEvidence } from "./stream-detector.js";

/** Options of {@link HddmA}. */
export interface HddmAOptions {
  /** Probability of a false alarm in one test. @default 0.001 */
  readonly driftConfidence?: number;
  /** The same for a warning. @default 0.005 */
  readonly warnConfidence?: number;
  /** Also report a fall of the mean. @default false */
  readonly twoSided?: boolean;
}

/**
 * HDDM_A, for values in 0..1: Hoeffding's bound on the difference between the mean up to the best cut point and the mean of all. O(1).
 * Detection indices equal those of river 0.19.
 *
 * Source: I. Frías-Blanco et al., "Online and non-parametric drift detection methods based on Hoeffding's bounds", IEEE TKDE 27 (2015).
 */
export class HddmA implements StreamDetector {
  readonly #drift: number;
  readonly #warn: number;
  readonly #twoSided: boolean;
  #all = new RunningMean();
  #lowest = new RunningMean();
  #highest = new RunningMean();
  #drifted = false;

  constructor(options: HddmAOptions = {}) {
    this.#drift = options.driftConfidence ?? 0.001;
    this.#warn = options.warnConfidence ?? 0.005;
    this.#twoSided = options.twoSided ?? false;
    requireOption(
      "HDDM_A",
      "driftConfidence",
      this.#drift,
      this.#drift > 0 && this.#drift < 1,
      "a probability",
    );
    requireOption(
      "HDDM_A",
      "warnConfidence",
      this.#warn,
      this.#warn >= this.#drift && this.#warn < 1,
      "at least driftConfidence",
    );
  }

  update(x: number): StreamEvidence | undefined {
    if (!Number.isFinite(x)) return undefined;
    if (this.#drifted) {
      this.#all.clear();
      this.#lowest.clear();
      this.#highest.clear();
      this.#drifted = false;
    }
    this.#all.add(withinRange(x));
    this.#moveCuts();
    const evidence =
      this.#test(this.#lowest, 1) ?? (this.#twoSided ? this.#test(this.#highest, -1) : undefined);
    this.#drifted = evidence?.level === "drift";
    return evidence;
  }

  #moveCuts(): void {
    const all = this.#all;
    if (this.#lowest.n === 0) this.#lowest.copy(all);
    if (this.#highest.n === 0) this.#highest.copy(all);
    const bound = this.#bound(all.n);
    if (this.#lowest.mean + this.#bound(this.#lowest.n) >= all.mean + bound) this.#lowest.copy(all);
    if (this.#highest.mean - this.#bound(this.#highest.n) <= all.mean - bound) this.#highest.copy(all);
  }

  #bound(n: number): number {
    return Math.sqrt((1 / (2 * n)) * Math.log(1 / this.#drift));
  }

  #test(cut: RunningMean, sign: 1 | -1): StreamEvidence | undefined {
    const n = this.#all.n;
    if (cut.n === n) return undefined;
    const spread = ((n - cut.n) / cut.n) * (1 / n);
    const difference = sign * (this.#all.mean - cut.mean);
    const threshold = Math.sqrt((spread / 2) * Math.log(2 / this.#drift));
    const drift = difference >= threshold;
    if (!drift && !(difference >= Math.sqrt((spread / 2) * Math.log(2 / this.#warn)))) return undefined;
    const window = n - cut.n;
    const after = (this.#all.mean * n - cut.mean * cut.n) / window;
    return {
      level: drift ? "drift" : "warn",
      before: cut.mean,
      after,
      window,
      statistic: difference,
      threshold,
    };
  }

  toJSON(): JsonObject {
    return {
      driftConfidence: this.#drift,
      warnConfidence: this.#warn,
      twoSided: this.#twoSided,
      all: this.#all.toJSON(),
      lowest: this.#lowest.toJSON(),
      highest: this.#highest.toJSON(),
      drifted: this.#drifted,
    };
  }

  static fromJSON(json: unknown): HddmA {
    const reader = new JsonReader(json, "HddmA");
    const hddm = new HddmA({
      driftConfidence: reader.number("driftConfidence"),
      warnConfidence: reader.number("warnConfidence"),
      twoSided: reader.boolean("twoSided"),
    });
    hddm.#all = RunningMean.fromJSON(reader.value("all"));
    hddm.#lowest = RunningMean.fromJSON(reader.value("lowest"));
    hddm.#highest = RunningMean.fromJSON(reader.value("highest"));
    hddm.#drifted = reader.boolean("drifted");
    return hddm;
  }
}
