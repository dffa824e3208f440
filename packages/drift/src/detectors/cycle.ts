import type { Detector, DetectorContext, DetectorEvidence, DetectorJson } from "../detector.js";
import { JsonReader } from "../json.js";
import { fingerprint } from "../math/fingerprint.js";
import type { Signal } from "../signal.js";
import { actionText } from "../stall/action-text.js";
import { checkPollers, isPoller } from "../stall/pollers.js";

const TYPE = "cycle";
const LONGEST_PERIOD = 5;
const ROUNDS_TO_WARN = 3;
const ROUNDS_TO_DRIFT = 4;
const MEMORY = LONGEST_PERIOD * (ROUNDS_TO_DRIFT + 1);
const MAX_POLLERS = 256;

/** Options of {@link cycle}. */
export interface CycleOptions {
  /** Tools or actions that may repeat without harm; a `*` at the end matches any continuation. */
  readonly pollers?: readonly string[];
}

/**
 * Exact cycles of one to five steps: the same actions (with the same `arguments`, where given) with the same observations, in the same order, round
 * after round. Three rounds warn, four are drift. A successful cycle of one or two steps is what waiting looks like (ask; or sleep, ask), so it
 * warns at most; so does a cycle with a step whose observation was not given, because it may have shown something new.
 */
export function cycle(options: CycleOptions = {}): Detector {
  return new Cycle(checkPollers(options.pollers));
}

class Cycle implements Detector {
  readonly name = TYPE;
  readonly #pollers: readonly string[];
  /** Fingerprints of the last steps, newest last, and whether each failed, and came without an observation. */
  #steps: number[] = [];
  #failed: number[] = [];
  #unseen: number[] = [];
  #indices: number[] = [];
  #score = 0;

  constructor(pollers: readonly string[]) {
    this.#pollers = pollers;
  }

  observe(signal: Signal, context: DetectorContext): DetectorEvidence | undefined {
    this.#score = 0;
    if (isPoller(signal, this.#pollers)) return undefined;
    const action = actionText(signal);
    if (action === undefined) return undefined;
    const { observation } = signal;
    push(this.#steps, fingerprint(`${action}\u0000${observation ?? ""}`));
    push(this.#failed, signal.outcome === "error" ? 1 : 0);
    push(this.#unseen, observation === undefined ? 1 : 0);
    push(this.#indices, context.index);
    for (let period = 1; period <= LONGEST_PERIOD; period++) {
      const repeats = this.#repeatedSteps(period);
      const rounds = 1 + Math.floor(repeats / period);
      if (rounds >= ROUNDS_TO_WARN) return this.#describe(period, repeats + period, rounds);
    }
    return undefined;
  }

  /** Number of latest steps that equal the one `period` before. */
  #repeatedSteps(period: number): number {
    const steps = this.#steps;
    let n = 0;
    while (n + period < steps.length && steps[steps.length - 1 - n] === steps[steps.length - 1 - n - period])
      n++;
    return n;
  }

  #describe(period: number, length: number, rounds: number): DetectorEvidence {
    const failures = this.#failed.slice(-length).some((failed) => failed === 1);
    const seen = this.#unseen.slice(-length).every((unseen) => unseen === 0);
    const waiting = period <= 2 && !failures;
    const drift = rounds >= ROUNDS_TO_DRIFT && !waiting && seen;
    this.#score = drift ? 1 - 1 / (rounds + 1) : 0.5;
    return {
      metric: "action",
      level: drift ? "drift" : "warn",
      before: "no cycle",
      after: period === 1 ? "the same step again and again" : `a cycle of ${period} steps`,
      window: length,
      since: this.#indices[Math.max(0, this.#indices.length - length)] ?? 0,
      confidence: this.#score,
      message: `The last ${length} steps are ${rounds} rounds of the same ${period === 1 ? "step" : `${period} steps`}, ${seen ? "with the same results" : "some with results that were not given"}.`,
      suggestion: waiting
        ? "If the agent waits for something slow, declare the tool in `pollers`; if not, give it another way to go on."
        : "Go back to the checkpoint before the first round, and tell the agent that this sequence leads nowhere.",
    };
  }

  score(): number {
    return this.#score;
  }

  acknowledge(): void {
    this.#steps = [];
    this.#failed = [];
    this.#unseen = [];
    this.#indices = [];
    this.#score = 0;
  }

  reset(): void {
    this.acknowledge();
  }

  toJSON(): DetectorJson {
    return {
      type: TYPE,
      name: this.name,
      pollers: [...this.#pollers],
      steps: [...this.#steps],
      failed: [...this.#failed],
      unseen: [...this.#unseen],
      indices: [...this.#indices],
      score: this.#score,
    };
  }

  static fromJSON(json: DetectorJson): Detector {
    const reader = new JsonReader(json, TYPE);
    const detector = new Cycle(reader.strings("pollers", MAX_POLLERS));
    detector.#steps = reader.numbers("steps", MEMORY);
    detector.#failed = reader.numbers("failed", MEMORY);
    detector.#unseen = reader.numbers("unseen", MEMORY);
    detector.#indices = reader.numbers("indices", MEMORY);
    detector.#score = reader.number("score");
    return detector;
  }
}

export const readCycle = Cycle.fromJSON;

function push(list: number[], value: number): void {
  list.push(value);
  if (list.length > MEMORY) list.shift();
}
