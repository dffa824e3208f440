import { type JsonObject, JsonReader } from "../json.js";
import { requireOption, type StreamDetector, type StreamEvidence } from "./stream-detector.js";

/** Options of {@link Eddm}. */
export interface EddmOptions {
  /** Errors before the first test. @default 30 */
  readonly warmUp?: number;
  /** Share of the longest distance below which it warns. @default 0.95 */
  readonly warnAt?: number;
  /** Share of the longest distance below which it reports drift. @default 0.9 */
  readonly driftAt?: number;
}

/**
 * EDDM, for a stream of errors (1) and successes (0): drift when the distance between errors falls below `driftAt` of the longest
 * that was seen. Finds gradual change earlier than DDM, at many more false alarms. One-sided, O(1). Detection indices equal those of river 0.19.
 *
 * Source: M. Baena-García et al., "Early drift detection method", IWKDDS 2006.
 */
export class Eddm implements StreamDetector {
  readonly #warmUp: number;
  readonly #warnAt: number;
  readonly #driftAt: number;
  #n = 0;
  #errors = 0;
  #lastError = 0;
  #mean = 0;
  #squares = 0;
  /** Longest distance (mean + 2 sd) so far; -1 before the first. */
  #longest = -1;
  #longestAt = 0;
  #drifted = false;
  #warned: StreamEvidence | undefined;

  constructor(options: EddmOptions = {}) {
    this.#warmUp = options.warmUp ?? 30;
    this.#warnAt = options.warnAt ?? 0.95;
    this.#driftAt = options.driftAt ?? 0.9;
    const whole = Number.isInteger(this.#warmUp) && this.#warmUp >= 0;
    requireOption("EDDM", "warmUp", this.#warmUp, whole, "a whole number from 0 on");
    requireOption("EDDM", "driftAt", this.#driftAt, this.#driftAt > 0, "a share above 0");
    requireOption("EDDM", "warnAt", this.#warnAt, this.#warnAt >= this.#driftAt, "at least driftAt");
  }

  update(x: number): StreamEvidence | undefined {
    if (!Number.isFinite(x)) return undefined;
    if (this.#drifted) this.#clear();
    this.#n++;
    if (x !== 1) return this.#warned;
    const evidence = this.#error();
    this.#lastError = this.#n;
    this.#drifted = evidence?.level === "drift";
    this.#warned = this.#drifted ? undefined : evidence;
    return evidence;
  }

  #error(): StreamEvidence | undefined {
    this.#errors++;
    const distance = this.#n - this.#lastError;
    const d = distance - this.#mean;
    this.#mean += d / this.#errors;
    this.#squares += d * (distance - this.#mean);
    if (this.#n <= this.#warmUp) return undefined;
    const variance = this.#errors > 1 ? this.#squares / (this.#errors - 1) : 0;
    const reach = this.#mean + 2 * Math.sqrt(variance);
    if (reach > this.#longest) {
      this.#longest = reach;
      this.#longestAt = this.#n;
      return this.#warned;
    }
    if (this.#errors <= this.#warmUp) return this.#warned;
    const share = reach / this.#longest;
    if (share >= this.#warnAt) return undefined;
    return {
      level: share < this.#driftAt ? "drift" : "warn",
      before: 1 / this.#longest,
      after: 1 / reach,
      window: Math.max(1, this.#n - this.#longestAt),
      statistic: share,
      threshold: this.#driftAt,
    };
  }

  #clear(): void {
    this.#n = 0;
    this.#errors = 0;
    this.#lastError = 0;
    this.#mean = 0;
    this.#squares = 0;
    this.#longest = -1;
    this.#longestAt = 0;
    this.#drifted = false;
  }

  toJSON(): JsonObject {
    return {
      warmUp: this.#warmUp,
      warnAt: this.#warnAt,
      driftAt: this.#driftAt,
      n: this.#n,
      errors: this.#errors,
      lastError: this.#lastError,
      mean: this.#mean,
      squares: this.#squares,
      longest: this.#longest,
      longestAt: this.#longestAt,
      drifted: this.#drifted,
      warned: this.#warned === undefined ? null : { ...this.#warned },
    };
  }

  static fromJSON(json: unknown): Eddm {
    const reader = new JsonReader(json, "Eddm");
    const eddm = new Eddm({
      warmUp: reader.number("warmUp"),
      warnAt: reader.number("warnAt"),
      driftAt: reader.number("driftAt"),
    });
    eddm.#n = reader.integer("n");
    eddm.#errors = reader.integer("errors");
    eddm.#lastError = reader.integer("lastError");
    eddm.#mean = reader.number("mean");
    eddm.#squares = reader.number("squares");
    eddm.#longest = reader.number("longest");
    eddm.#longestAt = reader.integer("longestAt");
    eddm.#drifted = reader.boolean("drifted");
    if (reader.value("warned") !== null) {
      const warned = reader.object("warned");
      eddm.#warned = {
        level: "warn",
        before: warned.number("before"),
        after: warned.number("after"),
        window: warned.integer("window"),
        statistic: warned.number("statistic"),
        threshold: warned.number("threshold"),
      };
    }
    return eddm;
  }
}
