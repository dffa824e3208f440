import { CkptError } from "@ckpt/errors";
import type { Detector, DetectorContext, DetectorEvidence, DetectorJson } from "../detector.js";
import { JsonReader } from "../json.js";
import { withinRange } from "../math/magnitude.js";
import { History } from "../shift/history.js";
import { cellsLikelihoodRatio, scoresLikelihoodRatio } from "../shift/likelihood.js";
import { MetricModel } from "../shift/metric-model.js";
import { COUNT, RAW, WIDTH } from "../shift/statistics.js";
import type { Signal } from "../signal.js";

const TYPE = "shift";
const MAX_METRICS = 32;
/** How many of the metrics are expected to move when something is wrong: the soft threshold of each follows from it. */
const EXPECTED_MOVERS = 0.2;
/** How far the nominal threshold lies above what the budget needs: by simulation, the rate stays below a third of it all the same. */
const SLACK = 0.8;
/**
 * A tenth of the evidence for an alarm is worth a warning: this far below the threshold, in units of log likelihood; but no less than half of
 * the threshold, which a large budget brings close to none.
 */
const WARN_BELOW = Math.log(10);

/** Options of {@link shift}. */
export interface ShiftOptions {
  /** Unique name. Default: `shift`, with the metrics when some are named. */
  readonly name?: string;
}

/**
 * A lasting change of level, scale or rate in the signals' metrics and in the rate of failed steps, up or down: a generalised
 * likelihood ratio test over all recent change points, with what was normal learned from the agent itself. Warm-up: the first 32 values of each metric. After an
 * alarm the new behaviour is learned as the normal one.
 *
 * Log likelihood ratios of the metrics are added above a soft threshold, so that small changes in several metrics count together and
 * a change in one is not drowned by the others. The alarm threshold is `ln(10,000 / maxFalseAlarmsPer10k) - 0.8`.
 *
 * Sources: T. L. Lai, JRSS B 57 (1995) (window-limited GLR); Y. Xie, D. Siegmund, "Sequential multi-sensor change-point
 * detection", Ann. Statist. 41 (2013) (sparse mixtures over sensors).
 *
 * @param metrics names of the metrics to watch; all of them (at most 32) when empty. `outcome` is the rate of failed steps.
 */
export function shift(metrics: string | readonly string[] = [], options: ShiftOptions = {}): Detector {
  const only = typeof metrics === "string" ? [metrics] : [...metrics];
  if (only.length > MAX_METRICS) {
    throw new CkptError("CKPT_INVALID_ARGUMENT", {
      message: `shift() watches at most ${MAX_METRICS} metrics; ${only.length} were named.`,
      hint: "Name the ones that matter, or use several shift detectors.",
    });
  }
  return new Shift(options.name ?? [TYPE, ...only].join(" "), only);
}

class Shift implements Detector {
  readonly name: string;
  readonly #only: readonly string[];
  #names: string[] = [];
  #models: MetricModel[] = [];
  #history = new History();
  #time = 0;
  #step = new Float64Array(0);
  #score = 0;
  /** The evidence for the best supposed change point of this step, in units of log likelihood. */
  #best = 0;
  readonly #discrete = new Uint8Array(MAX_METRICS);

  constructor(name: string, only: readonly string[]) {
    this.name = name;
    this.#only = only;
  }

  observe(signal: Signal, context: DetectorContext): DetectorEvidence | undefined {
    this.#time++;
    this.#step.fill(0);
    const watched = this.#only.length > 0;
    if (signal.outcome !== undefined && (!watched || this.#only.includes("outcome"))) {
      this.#take("outcome", signal.outcome === "error" ? 1 : 0);
    }
    const metrics = signal.metrics;
    if (metrics !== undefined) {
      if (watched)
        for (const name of this.#only)
          this.#take(name, Object.hasOwn(metrics, name) ? metrics[name] : undefined);
      else for (const name of Object.keys(metrics)) this.#take(name, metrics[name]);
    }
    if (this.#names.length === 0) {
      this.#score = 0;
      return undefined;
    }
    this.#history.push(this.#step);
    const softThreshold = Math.log(this.#models.length / EXPECTED_MOVERS);
    this.#best = this.#history.scan(this.#time, this.#discrete, softThreshold);
    return this.#judge(context);
  }

  #take(name: string, value: number | undefined): void {
    if (value === undefined || !Number.isFinite(value)) return;
    let metric = this.#names.indexOf(name);
    if (metric < 0) {
      if (this.#names.length === MAX_METRICS) return;
      metric = this.#names.push(name) - 1;
      this.#models.push(new MetricModel());
      this.#history.widen();
      const step = new Float64Array(this.#history.metrics * WIDTH);
      step.set(this.#step);
      this.#step = step;
    }
    const warm = this.#models[metric]!.add(withinRange(value), this.#step, metric * WIDTH);
    if (warm === undefined) return;
    this.#history.addBefore(metric, warm);
    this.#discrete[metric] = this.#models[metric]!.discrete ? 1 : 0;
  }

  #ratio(metric: number): number {
    const ratio = this.#discrete[metric] === 1 ? cellsLikelihoodRatio : scoresLikelihoodRatio;
    return ratio(this.#history.all, this.#history.bestAfter, metric * WIDTH);
  }

  #judge(context: DetectorContext): DetectorEvidence | undefined {
    const threshold = Math.log(1e4 / context.maxFalseAlarmsPer10k) - SLACK;
    this.#score = this.#best > 0 ? 1 / (1 + Math.exp(threshold - this.#best)) : 0;
    const warnAt = Math.max(threshold - WARN_BELOW, threshold / 2);
    if (!(this.#best > 0 && this.#best >= warnAt)) return undefined;
    const level = this.#best >= threshold ? "drift" : "warn";
    const evidence = this.#describe(level, context);
    if (level === "drift") this.#forget();
    return evidence;
  }

  #describe(level: "warn" | "drift", context: DetectorContext): DetectorEvidence {
    const moved = this.#models
      .map((_, metric) => ({ metric, ratio: this.#ratio(metric) }))
      .sort((a, b) => b.ratio - a.ratio);
    const told = moved
      .filter((m, i) => i === 0 || m.ratio > 3)
      .slice(0, 4)
      .map((m) => this.#change(m.metric));
    const main = told[0]!;
    const also = told.slice(1).map((c) => `${c.name} from ${show(c.before)} to ${show(c.after)}`);
    return {
      metric: main.name,
      level,
      before: main.before,
      after: main.after,
      window: this.#history.bestLength,
      since: Math.max(0, context.index - this.#history.bestLength + 1),
      confidence: this.#score,
      message: `${main.name} went from ${show(main.before)} to ${show(main.after)} over the last ${this.#history.bestLength} steps${also.length === 0 ? "" : `; also ${also.join(", ")}`}.`,
      suggestion:
        "Look at what changed at that step (model, prompt, tool, data); when it is not meant, restore the checkpoint from before it.",
    };
  }

  #change(metric: number): { name: string; before: number; after: number } {
    const at = metric * WIDTH;
    const count = this.#history.bestAfter[at + COUNT]!;
    const raw = this.#history.bestAfter[at + RAW]!;
    const model = this.#models[metric]!;
    const before = model.typical(
      (this.#history.all[at + RAW]! - raw) / Math.max(1, this.#history.all[at + COUNT]! - count),
    );
    return { name: this.#names[metric]!, before, after: model.typical(raw / Math.max(1, count)) };
  }

  score(): number {
    return this.#score;
  }

  acknowledge(): void {
    this.#score = 0;
  }

  /** The behaviour from now on is a new normal; metrics are met anew. */
  #forget(): void {
    this.#names = [];
    this.#models = [];
    this.#history = new History();
    this.#step = new Float64Array(0);
  }

  reset(): void {
    this.#forget();
    this.#time = 0;
    this.#score = 0;
    this.#best = 0;
  }

  toJSON(): DetectorJson {
    return {
      type: TYPE,
      name: this.name,
      only: [...this.#only],
      names: [...this.#names],
      models: this.#models.map((model) => model.toJSON()),
      history: this.#history.toJSON(),
      time: this.#time,
      score: this.#score,
    };
  }

  static fromJSON(json: DetectorJson): Detector {
    const reader = new JsonReader(json, TYPE);
    const detector = new Shift(reader.string("name"), reader.strings("only", MAX_METRICS));
    detector.#names = reader.strings("names", MAX_METRICS);
    detector.#models = reader.array("models", MAX_METRICS).map((model) => MetricModel.fromJSON(model));
    detector.#history = History.fromJSON(reader.value("history"), MAX_METRICS);
    reader.check(
      detector.#models.length === detector.#names.length &&
        detector.#history.metrics === detector.#names.length,
      "names, models and history do not fit together",
    );
    detector.#step = new Float64Array(detector.#history.metrics * WIDTH);
    detector.#models.forEach((model, metric) => {
      detector.#discrete[metric] = model.discrete ? 1 : 0;
    });
    detector.#time = reader.integer("time");
    detector.#score = reader.number("score");
    return detector;
  }
}

export const readShift = Shift.fromJSON;

function show(x: number): string {
  return Number.isInteger(x) || Math.abs(x) >= 1000 ? String(Math.round(x)) : x.toPrecision(3);
}
