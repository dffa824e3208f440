import { type JsonObject, JsonReader } from "../json.js";
import { History } from "../shift/history.js";
import { COUNT, S1, S2, WIDTH } from "../shift/statistics.js";
import { requireOption, type StreamDetector, type StreamEvidence } from "./stream-detector.js";

/** Options of {@link GaussianGlr} and {@link BernoulliGlr}. */
export interface GlrOptions {
  /** False alarms per 10,000 values; the threshold is `2.3 + ln(10,000 / it)`. @default 1 */
  readonly maxFalseAlarmsPer10k?: number;
}

/** Above the logarithm of the rate: what the maximum over change points costs, by simulation on normal values. */
const SEARCH_COST = 2.3;

/** What both tests share: statistics of the past at all time scales, and the search for the best change point. */
abstract class Glr implements StreamDetector {
  protected history = new History();
  readonly #threshold: number;
  readonly #maxFalseAlarmsPer10k: number;
  readonly #discrete: Uint8Array;
  readonly #row = new Float64Array(WIDTH);
  #time = 0;

  constructor(options: GlrOptions, discrete: boolean) {
    const rate = options.maxFalseAlarmsPer10k ?? 1;
    requireOption("GLR", "maxFalseAlarmsPer10k", rate, rate > 0 && rate <= 1000, "a rate in (0, 1000]");
    this.#maxFalseAlarmsPer10k = rate;
    this.#threshold = SEARCH_COST + Math.log(1e4 / rate);
    this.#discrete = new Uint8Array([discrete ? 1 : 0]);
    this.history.widen();
  }

  update(x: number): StreamEvidence | undefined {
    if (!Number.isFinite(x)) return undefined;
    this.#time++;
    this.fill(x, this.#row);
    this.history.push(this.#row);
    const statistic = this.history.scan(this.#time, this.#discrete, 0);
    if (statistic < this.#threshold) return undefined;
    const { all, bestAfter, bestLength } = this.history;
    const before = this.level(all[COUNT]! - bestAfter[COUNT]!, all[S1]! - bestAfter[S1]!);
    const after = this.level(bestAfter[COUNT]!, bestAfter[S1]!);
    this.clear();
    return { level: "drift", before, after, window: bestLength, statistic, threshold: this.#threshold };
  }

  protected abstract fill(x: number, row: Float64Array): void;
  protected abstract level(count: number, sum: number): number;

  protected clear(): void {
    this.history = new History();
    this.history.widen();
    this.#time = 0;
  }

  toJSON(): JsonObject {
    return {
      maxFalseAlarmsPer10k: this.#maxFalseAlarmsPer10k,
      history: this.history.toJSON(),
      time: this.#time,
    };
  }

  protected restore(reader: JsonReader): void {
    this.history = History.fromJSON(reader.value("history"), 1);
    this.#time = reader.integer("time");
  }
}

/**
 * A windowed generalised likelihood ratio test for a change of mean or scale of roughly normal, uncorrelated values. Both levels are estimated; the best
 * change point is searched over the last thousands of values in an exponential histogram, O(log n).
 *
 * Sources: T. L. Lai, JRSS B 57 (1995); D. Siegmund, E. S. Venkatraman, Ann. Statist. 23 (1995).
 */
export class GaussianGlr extends Glr {
  /** The first value: kept out of the sums, so that squares of a large level do not cancel. */
  #origin: number | null = null;
  #scale = 0;

  constructor(options: GlrOptions = {}) {
    super(options, false);
  }

  protected fill(x: number, row: Float64Array): void {
    this.#origin ??= x;
    // The test takes variances near one; the running size of the deviations brings any stream there.
    if (this.#scale === 0 && x !== this.#origin) this.#scale = Math.abs(x - this.#origin);
    const z = this.#scale === 0 ? 0 : (x - this.#origin) / this.#scale;
    row[COUNT] = 1;
    row[S1] = z;
    row[S2] = z * z;
  }

  protected level(count: number, sum: number): number {
    return (this.#origin ?? 0) + (sum / count) * this.#scale;
  }

  protected override clear(): void {
    super.clear();
    this.#origin = null;
    this.#scale = 0;
  }

  override toJSON(): JsonObject {
    return { ...super.toJSON(), origin: this.#origin, scale: this.#scale };
  }

  static fromJSON(json: unknown): GaussianGlr {
    const reader = new JsonReader(json, "GaussianGlr");
    const glr = new GaussianGlr({ maxFalseAlarmsPer10k: reader.number("maxFalseAlarmsPer10k") });
    glr.restore(reader);
    glr.#origin = reader.numberOrNull("origin");
    glr.#scale = reader.number("scale");
    return glr;
  }
}

/**
 * The same test for a stream of events (1) and non-events (0): a change of the rate, up or down. Any value that is not 0 counts as 1.
 *
 * Source: T. L. Lai, JRSS B 57 (1995).
 */
export class BernoulliGlr extends Glr {
  constructor(options: GlrOptions = {}) {
    super(options, true);
  }

  protected fill(x: number, row: Float64Array): void {
    row[COUNT] = 1;
    row[S1] = x === 0 ? 0 : 1;
  }

  protected level(count: number, sum: number): number {
    return sum / count;
  }

  static fromJSON(json: unknown): BernoulliGlr {
    const reader = new JsonReader(json, "BernoulliGlr");
    const glr = new BernoulliGlr({ maxFalseAlarmsPer10k: reader.number("maxFalseAlarmsPer10k") });
    glr.restore(reader);
    return glr;
  }
}
