import { type JsonObject, JsonReader } from "../json.js";
import { RunningMean } from "./running-mean.js";
import { requireOption, type StreamDetector, type StreamEvidence } from "./stream-detector.js";

/** Options of {@link Ddm}. */
export interface DdmOptions {
  /** Observations before the first test. @default 30 */
  readonly warmUp?: number;
  /** Standard deviations above the minimum at which it warns. @default 2 */
  readonly warnAt?: number;
  /** Standard deviations above the minimum at which it reports drift. @default 3 */
  readonly driftAt?: number;
}

/**
 * DDM, for a stream of errors (1) and successes (0), or shares between them; values outside of 0..1 count as the nearer of the two. Drift when the error rate rises `driftAt` standard deviations above the lowest that
 * was seen. One-sided, O(1). Many false alarms on long streams. Detection indices equal those of river 0.19.
 *
 * Source: J. Gama, P. Medas, G. Castillo, P. Rodrigues, "Learning with drift detection", SBIA 2004.
 */
export class Ddm implements StreamDetector {
  readonly #warmUp: number;
  readonly #warnAt: number;
  readonly #driftAt: number;
  #rate = new RunningMean();
  /** Rate, deviation and count at the lowest rate + deviation so far; null before the first test. */
  #lowest: { readonly rate: number; readonly deviation: number; readonly n: number } | null = null;
  #drifted = false;

  constructor(options: DdmOptions = {}) {
    this.#warmUp = options.warmUp ?? 30;
    this.#warnAt = options.warnAt ?? 2;
    this.#driftAt = options.driftAt ?? 3;
    const whole = Number.isInteger(this.#warmUp) && this.#warmUp >= 0;
    requireOption("DDM", "warmUp", this.#warmUp, whole, "a whole number from 0 on");
    requireOption("DDM", "warnAt", this.#warnAt, this.#warnAt > 0, "a number above 0");
    requireOption("DDM", "driftAt", this.#driftAt, this.#driftAt >= this.#warnAt, "at least warnAt");
  }

  update(x: number): StreamEvidence | undefined {
    if (!Number.isFinite(x)) return undefined;
    if (this.#drifted) {
      this.#rate.clear();
      this.#lowest = null;
      this.#drifted = false;
    }
    this.#rate.add(Math.max(0, Math.min(1, x)));
    const { mean: rate, n } = this.#rate;
    const deviation = Math.sqrt((rate * (1 - rate)) / n);
    if (n <= this.#warmUp) return undefined;
    if (this.#lowest === null || rate + deviation <= this.#lowest.rate + this.#lowest.deviation) {
      this.#lowest = { rate, deviation, n };
    }
    const low = this.#lowest;
    const threshold = low.rate + this.#driftAt * low.deviation;
    this.#drifted = rate + deviation > threshold;
    if (!this.#drifted && !(rate + deviation > low.rate + this.#warnAt * low.deviation)) return undefined;
    const window = Math.max(1, n - low.n);
    const after = (rate * n - low.rate * low.n) / window;
    const level = this.#drifted ? "drift" : "warn";
    return { level, before: low.rate, after, window, statistic: rate + deviation, threshold };
  }

  toJSON(): JsonObject {
    return {
      warmUp: this.#warmUp,
      warnAt: this.#warnAt,
      driftAt: this.#driftAt,
      rate: this.#rate.toJSON(),
      lowest: this.#lowest === null ? null : { ...this.#lowest },
      drifted: this.#drifted,
    };
  }

  static fromJSON(json: unknown): Ddm {
    const reader = new JsonReader(json, "Ddm");
    const ddm = new Ddm({
      warmUp: reader.number("warmUp"),
      warnAt: reader.number("warnAt"),
      driftAt: reader.number("driftAt"),
    });
    ddm.#rate = RunningMean.fromJSON(reader.value("rate"));
    if (reader.value("lowest") !== null) {
      const low = reader.object("lowest");
      ddm.#lowest = { rate: low.number("rate"), deviation: low.number("deviation"), n: low.integer("n") };
    }
    ddm.#drifted = reader.boolean("drifted");
    return ddm;
  }
}
