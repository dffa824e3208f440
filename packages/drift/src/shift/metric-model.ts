import { type Json, type JsonObject, JsonReader } from "../json.js";
import { cellBorders, cellOf, MAX_CELLS } from "./cells.js";
import { Reservoir } from "./reservoir.js";
import { COUNT, RAW, S1, S2, WIDTH } from "./statistics.js";

/** Values of a metric before it is judged. */
const WARM_UP = 32;
/** Values before a rank says anything. */
const FIRST_RANKED = 5;
/** A metric whose steps all go one way by this share is a growing total: its differences are watched. */
const GROWTH_SHARE = 0.9;
const MAX_CORRELATION = 0.95;

/**
 * What is normal for one metric: learned from its first values, then kept up to date. Turns each value into sufficient
 * statistics that are alike for all metrics: the counts of its cell for a discrete metric, the score and its square for a continuous one. Scores are
 * whitened by the metric's own lag-1 correlation (an AR(1) model of the scores), because correlated values look like shifts.
 */
export class MetricModel {
  /** Values before the kind of the metric is known. */
  #first: number[] = [];
  #ready = false;
  #borders: number[] | undefined;
  #growing = false;
  #positive = true;
  #reservoir = new Reservoir();
  #last: number | null = null;
  #lastScore: number | null = null;
  #products = 0;
  #squares = 0;

  /** True for a metric with few different values, which is counted by cells. */
  get discrete(): boolean {
    return this.#borders !== undefined;
  }

  /** True for a total that only grows; its differences are watched. */
  get growing(): boolean {
    return this.#growing;
  }

  /** What the mean of the raw statistic stands for, in the metric's own unit. */
  typical(meanOfRaw: number): number {
    return this.#logarithmic ? Math.exp(meanOfRaw) : meanOfRaw;
  }

  get #logarithmic(): boolean {
    return this.#borders === undefined && this.#positive;
  }

  /** Adds the statistics of `x` to `into[at..]`; during the warm-up nothing, at its end all of it is returned at once. */
  add(x: number, into: Float64Array, at: number): Float64Array | undefined {
    if (this.#ready) {
      this.#take(x, into, at);
      return undefined;
    }
    this.#first.push(x);
    if (this.#first.length < WARM_UP) return undefined;
    const statistics = new Float64Array(WIDTH);
    this.#learnKind();
    for (const value of this.#first) this.#take(value, statistics, 0);
    this.#first = [];
    this.#ready = true;
    return statistics;
  }

  #learnKind(): void {
    const steps = this.#first.slice(1).map((x, i) => x - this.#first[i]!);
    const ups = steps.filter((step) => step > 0).length;
    const downs = steps.filter((step) => step < 0).length;
    this.#growing = Math.max(ups, downs) >= GROWTH_SHARE * steps.length;
    const values = this.#growing ? steps : this.#first;
    this.#borders = cellBorders(values);
    this.#positive = values.every((x) => x > 0);
  }

  #take(raw: number, into: Float64Array, at: number): void {
    let x = raw;
    if (this.#growing) {
      const before = this.#last;
      this.#last = raw;
      if (before === null) return;
      x = raw - before;
    }
    if (this.#borders !== undefined) {
      const cell = cellOf(this.#borders, x);
      into[at + COUNT]! += 1;
      into[at + RAW]! += x;
      if (cell > 0) into[at + S1 - 1 + cell]! += 1;
    } else this.#takeScore(x, into, at);
  }

  #takeScore(x: number, into: Float64Array, at: number): void {
    const score = this.#reservoir.seen < FIRST_RANKED ? null : this.#reservoir.score(x);
    this.#reservoir.add(x);
    if (score === null) return;
    const innovation = this.#whiten(score);
    into[at + COUNT]! += 1;
    into[at + S1]! += innovation;
    into[at + S2]! += innovation * innovation;
    into[at + RAW]! += this.#positive ? this.#log(x) : x;
  }

  /** Of a metric that was positive while it was learned; what is not is taken for a thousandth of the median. */
  #log(x: number): number {
    return Math.log(x > 0 ? x : Math.max(Number.MIN_VALUE, this.#reservoir.median() / 1000));
  }

  #whiten(score: number): number {
    const before = this.#lastScore;
    this.#lastScore = score;
    if (before === null) return score;
    const estimate = this.#products / (this.#squares + 10);
    this.#products += score * before;
    this.#squares += before * before;
    // Within two standard errors of none, none.
    if (estimate * estimate * this.#reservoir.seen < 4) return score;
    const correlation = Math.max(-MAX_CORRELATION, Math.min(MAX_CORRELATION, estimate));
    return (score - correlation * before) / Math.sqrt(1 - correlation * correlation);
  }

  toJSON(): JsonObject {
    return {
      first: [...this.#first],
      ready: this.#ready,
      borders: (this.#borders as readonly Json[] | undefined) ?? null,
      growing: this.#growing,
      positive: this.#positive,
      reservoir: this.#reservoir.toJSON(),
      last: this.#last,
      lastScore: this.#lastScore,
      products: this.#products,
      squares: this.#squares,
    };
  }

  static fromJSON(json: unknown): MetricModel {
    const reader = new JsonReader(json, "metric");
    const model = new MetricModel();
    model.#first = reader.numbers("first", WARM_UP);
    model.#ready = reader.boolean("ready");
    model.#borders = reader.value("borders") === null ? undefined : reader.numbers("borders", MAX_CELLS - 1);
    model.#growing = reader.boolean("growing");
    model.#positive = reader.boolean("positive");
    model.#reservoir = Reservoir.fromJSON(reader.value("reservoir"));
    model.#last = reader.numberOrNull("last");
    model.#lastScore = reader.numberOrNull("lastScore");
    model.#products = reader.number("products");
    model.#squares = reader.number("squares");
    return model;
  }
}
