import { type JsonObject, JsonReader } from "../json.js";
import { withinRange } from "../math/magnitude.js";
import { drawnIn, robustLocation } from "./first-values.js";
import { unitOfConstant } from "./standardizer.js";
import { requireOption, type StreamDetector, type StreamEvidence } from "./stream-detector.js";

/** Options of {@link Bocpd}. */
export interface BocpdOptions {
  /** Expected number of values between changes. @default 1000 */
  readonly expectedRun?: number;
  /** Posterior probability of a recent change that is reported. @default 0.99 */
  readonly confidence?: number;
  /** Run lengths kept; the least probable are dropped. @default 128 */
  readonly maxRuns?: number;
  /** First values, from which the prior's centre and scale are learned. @default 20 */
  readonly warmUp?: number;
}

const MAX_RUNS = 4096;

/** One hypothesis: "the present regime began `length` values ago", with its probability and the normal-gamma posterior of its values. */
interface Run {
  length: number;
  probability: number;
  mean: number;
  weight: number;
  shape: number;
  spread: number;
}

/**
 * Bayesian online change point detection: the posterior over how long ago the present regime began, for normal values of unknown mean
 * and scale, with a constant hazard. Drift when a change since the last regime's settling is almost sure. Memory: `maxRuns` hypotheses.
 *
 * Source: R. P. Adams, D. J. C. MacKay, "Bayesian online changepoint detection", arXiv:0710.3742 (2007).
 */
export class Bocpd implements StreamDetector {
  readonly #expectedRun: number;
  readonly #confidence: number;
  readonly #maxRuns: number;
  readonly #warmUp: number;
  #first: number[] = [];
  #centre = 0;
  #scale = 1;
  #runs: Run[] = [];
  #time = 0;

  constructor(options: BocpdOptions = {}) {
    this.#expectedRun = options.expectedRun ?? 1000;
    this.#confidence = options.confidence ?? 0.99;
    this.#maxRuns = options.maxRuns ?? 128;
    this.#warmUp = options.warmUp ?? 20;
    requireOption("BOCPD", "expectedRun", this.#expectedRun, this.#expectedRun > 1, "a number above 1");
    requireOption(
      "BOCPD",
      "confidence",
      this.#confidence,
      this.#confidence > 0.5 && this.#confidence < 1,
      "above 0.5, below 1",
    );
    const runs = Number.isInteger(this.#maxRuns) && this.#maxRuns >= 2 && this.#maxRuns <= MAX_RUNS;
    requireOption("BOCPD", "maxRuns", this.#maxRuns, runs, `a whole number in 2..${MAX_RUNS}`);
    const warm = Number.isInteger(this.#warmUp) && this.#warmUp >= 2 && this.#warmUp <= MAX_RUNS;
    requireOption("BOCPD", "warmUp", this.#warmUp, warm, `a whole number in 2..${MAX_RUNS}`);
  }

  update(value: number): StreamEvidence | undefined {
    if (!Number.isFinite(value)) return undefined;
    const x = withinRange(value);
    if (this.#first.length < this.#warmUp) {
      this.#first.push(x);
      if (this.#first.length === this.#warmUp) this.#begin();
      return undefined;
    }
    this.#step(withinRange((x - this.#centre) / this.#scale));
    // A run that reaches back into the warm-up says "no change"; the rest of the mass says "since then".
    const changed = this.#runs.filter((run) => run.length < this.#time);
    const mass = changed.reduce((sum, run) => sum + run.probability, 0);
    if (mass < this.#confidence) return undefined;
    const best = changed.reduce((a, b) => (b.probability > a.probability ? b : a));
    const after = this.#centre + best.mean * this.#scale;
    const evidence: StreamEvidence = {
      level: "drift",
      before: this.#centre + this.#runs[0]!.mean * this.#scale,
      after,
      window: Math.max(1, best.length),
      statistic: mass,
      threshold: this.#confidence,
    };
    this.#first = [];
    this.#runs = [];
    return evidence;
  }

  #begin(): void {
    const n = this.#first.length;
    const location = robustLocation(this.#first);
    this.#centre = location.centre;
    this.#scale = location.scale || unitOfConstant(location.centre);
    this.#time = n;
    const scores = this.#first.map((x) => drawnIn(x, location));
    const mean = scores.reduce((a, b) => a + b, 0) / n;
    const spread = scores.reduce((sum, z) => sum + (z - mean) ** 2, 1) / 2;
    this.#runs = [{ length: n, probability: 1, mean, weight: n, shape: (n + 1) / 2, spread }];
  }

  #step(z: number): void {
    this.#time++;
    let evidence = 0;
    let fresh = 0;
    for (const run of this.#runs) {
      const joint = run.probability * predictive(run, z);
      fresh += joint / this.#expectedRun;
      run.probability = joint * (1 - 1 / this.#expectedRun);
      evidence += joint;
      learn(run, z);
    }
    // All hypotheses may give an absurd value no probability at all: then a change is the explanation.
    const total = evidence > 0 ? evidence : 1;
    for (const run of this.#runs) run.probability /= total;
    this.#runs.push({
      length: 0,
      probability: evidence > 0 ? fresh / total : 1,
      mean: 0,
      weight: 0.1,
      shape: 1,
      spread: 1,
    });
    if (this.#runs.length > this.#maxRuns) this.#prune();
  }

  /** Drops the least probable hypothesis, never the oldest. */
  #prune(): void {
    let least = 1;
    for (let i = 2; i < this.#runs.length; i++) {
      if (this.#runs[i]!.probability < this.#runs[least]!.probability) least = i;
    }
    this.#runs.splice(least, 1);
  }

  toJSON(): JsonObject {
    return {
      expectedRun: this.#expectedRun,
      confidence: this.#confidence,
      maxRuns: this.#maxRuns,
      warmUp: this.#warmUp,
      first: [...this.#first],
      centre: this.#centre,
      scale: this.#scale,
      time: this.#time,
      runs: this.#runs.map((run) => [
        run.length,
        run.probability,
        run.mean,
        run.weight,
        run.shape,
        run.spread,
      ]),
    };
  }

  static fromJSON(json: unknown): Bocpd {
    const reader = new JsonReader(json, "Bocpd");
    const bocpd = new Bocpd({
      expectedRun: reader.number("expectedRun"),
      confidence: reader.number("confidence"),
      maxRuns: reader.number("maxRuns"),
      warmUp: reader.number("warmUp"),
    });
    bocpd.#first = reader.numbers("first", bocpd.#warmUp);
    bocpd.#centre = reader.number("centre");
    bocpd.#scale = reader.number("scale");
    bocpd.#time = reader.integer("time");
    bocpd.#runs = reader.rows("runs", bocpd.#maxRuns, 6).map(readRun);
    const begun = bocpd.#first.length === bocpd.#warmUp;
    reader.check(begun === bocpd.#runs.length > 0 && bocpd.#scale > 0, "its parts do not fit together");
    reader.check(bocpd.#runs.every(isRun), "a run is not one");
    return bocpd;
  }
}

function readRun(row: readonly number[]): Run {
  const [length = -1, probability = -1, mean = 0, weight = 0, shape = 0, spread = 0] = row;
  return { length, probability, mean, weight, shape, spread };
}

/** What the density below is defined for: anything else would be searched for without end, or be no number. */
function isRun({ length, probability, weight, shape, spread }: Run): boolean {
  const positive = weight > 0 && shape > 0 && spread > 0;
  return Number.isSafeInteger(length) && length >= 0 && probability >= 0 && probability <= 1 && positive;
}

/** The density of `z` under a run's posterior: Student's t with 2 * shape degrees of freedom. */
function predictive(run: Run, z: number): number {
  const freedom = 2 * run.shape;
  const scale2 = (run.spread * (run.weight + 1)) / (run.shape * run.weight);
  const d = z - run.mean;
  const constant = Math.exp(halfLogGammaRatio(run.shape)) / Math.sqrt(freedom * Math.PI * scale2);
  return constant * (1 + (d * d) / (freedom * scale2)) ** (-(freedom + 1) / 2);
}

/** ln Gamma(a + 1/2) - ln Gamma(a), by its asymptotic series after shifting a above 8. */
function halfLogGammaRatio(a: number): number {
  let shift = 0;
  let x = a;
  while (x < 8) {
    shift += Math.log(x / (x + 0.5));
    x++;
  }
  const r = 1 / x;
  return shift + 0.5 * Math.log(x) - r / 8 + (r * r * r) / 192 - r ** 5 / 640;
}

function learn(run: Run, z: number): void {
  const d = z - run.mean;
  run.spread += (run.weight * d * d) / (2 * (run.weight + 1));
  run.mean += d / (run.weight + 1);
  run.weight++;
  run.shape += 0.5;
  run.length++;
}
