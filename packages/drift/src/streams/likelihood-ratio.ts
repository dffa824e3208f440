import { type JsonObject, JsonReader } from "../json.js";
import { withinRange } from "../math/magnitude.js";
import { History } from "../shift/history.js";
import { COUNT, S1, S2, WIDTH } from "../shift/statistics.js";
import { drawnIn, type Location, robustLocation } from "./first-values.js";
import { unitOfConstant } from "./standardizer.js";
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
    if (!Number.isFinite(x) || !this.take(withinRange(x))) return undefined;
    const statistic = this.history.scan(this.#time, this.#discrete, 0);
    if (statistic < this.#threshold) return undefined;
    const { all, bestAfter, bestLength } = this.history;
    const before = this.level(all[COUNT]! - bestAfter[COUNT]!, all[S1]! - bestAfter[S1]!);
    const after = this.level(bestAfter[COUNT]!, bestAfter[S1]!);
    this.clear();
    return { level: "drift", before, after, window: bestLength, statistic, threshold: this.#threshold };
  }

  /** Takes a value in; says whether there is something to test. */
  protected abstract take(x: number): boolean;

  protected append(sum: number, squares: number): void {
    this.#time++;
    this.#row[COUNT] = 1;
    this.#row[S1] = sum;
    this.#row[S2] = squares;
    this.history.push(this.#row);
  }

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

/** Values from which the unit is learned; the test needs some of them before a change. */
const WARM_UP = 32;

/**
 * A windowed generalised likelihood ratio test for a change of mean or scale of roughly normal, uncorrelated values. Both levels are estimated; the best
 * change point is searched over the last thousands of values in an exponential histogram, O(log n). The unit is learned from the first 32
 * values, among which stray ones count for little; when these are all equal, any other value is a change.
 *
 * Sources: T. L. Lai, JRSS B 57 (1995); D. Siegmund, E. S. Venkatraman, Ann. Statist. 23 (1995).
 */
export class GaussianGlr extends Glr {
  /** Values before the unit is known. */
  #first: number[] = [];
  /** The test takes means near zero and variances near one: squares of a large level would cancel. */
  #location: Location | undefined;

  constructor(options: GlrOptions = {}) {
    super(options, false);
  }

  protected take(x: number): boolean {
    if (this.#location === undefined) {
      if (this.#first.push(x) === WARM_UP) this.#begin();
      return false;
    }
    const { centre } = this.#location;
    if (this.#location.scale === 0 && x !== centre)
      this.#location = { centre, scale: unitOfConstant(centre) };
    const z = this.#location.scale === 0 ? 0 : withinRange((x - centre) / this.#location.scale);
    this.append(z, z * z);
    return true;
  }

  #begin(): void {
    this.#location = robustLocation(this.#first);
    for (const x of this.#first) {
      const z = drawnIn(x, this.#location);
      this.append(z, z * z);
    }
    this.#first = [];
  }

  protected level(count: number, sum: number): number {
    const { centre, scale } = this.#location!;
    return centre + (sum / count) * scale;
  }

  protected override clear(): void {
    super.clear();
    this.#location = undefined;
  }

  override toJSON(): JsonObject {
    const location = this.#location === undefined ? null : { ...this.#location };
    return { ...super.toJSON(), first: [...this.#first], location };
  }

  static fromJSON(json: unknown): GaussianGlr {
    const reader = new JsonReader(json, "GaussianGlr");
    const glr = new GaussianGlr({ maxFalseAlarmsPer10k: reader.number("maxFalseAlarmsPer10k") });
    glr.restore(reader);
    glr.#first = reader.numbers("first", WARM_UP - 1);
    if (reader.value("location") !== null) {
      const location = reader.object("location");
      glr.#location = { centre: location.number("centre"), scale: location.number("scale") };
      reader.check(glr.#location.scale >= 0, "the scale is below 0");
    }
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

  protected take(x: number): boolean {
    this.append(x === 0 ? 0 : 1, 0);
    return true;
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
