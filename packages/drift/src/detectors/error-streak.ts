import type { Detector, DetectorContext, DetectorEvidence, DetectorJson } from "../detector.js";
import { JsonReader } from "../json.js";
import type { Signal } from "../signal.js";

const TYPE = "errorStreak";

/** Before anything is known, errors are taken to be this common, with the weight of this many steps. */
const PRIOR_RATE = 0.3;
const PRIOR_STEPS = 10;
const SHORTEST_STREAK = 5;

/**
 * Consecutive failed steps (`outcome: "error"`). A streak of k steps is drift when, at the agent's own error rate, fewer than the
 * budgeted number of such streaks would begin in 10,000 steps: `10,000 (1 - p) p^k`. Five is the shortest streak that is
 * ever called drift, three the shortest that warns.
 */
export function errorStreak(): Detector {
  return new ErrorStreak();
}

class ErrorStreak implements Detector {
  readonly name = TYPE;
  /** Outside the present streak. */
  #steps = 0;
  #errors = 0;
  #streak = 0;
  #since = 0;

  observe(signal: Signal, context: DetectorContext): DetectorEvidence | undefined {
    if (signal.outcome === undefined) return this.#streak >= 3 ? this.#evidence(context) : undefined;
    if (signal.outcome === "ok") {
      this.#steps += this.#streak + 1;
      this.#errors += this.#streak;
      this.#streak = 0;
      return undefined;
    }
    if (this.#streak++ === 0) this.#since = context.index;
    return this.#streak >= 3 ? this.#evidence(context) : undefined;
  }

  #evidence(context: DetectorContext): DetectorEvidence {
    const rate = (this.#errors + PRIOR_RATE * PRIOR_STEPS) / (this.#steps + PRIOR_STEPS);
    const expectedPer10k = 1e4 * (1 - rate) * rate ** this.#streak;
    const drift = this.#streak >= SHORTEST_STREAK && expectedPer10k <= context.maxFalseAlarmsPer10k;
    return {
      metric: "outcome",
      level: drift ? "drift" : "warn",
      before: rate,
      after: 1,
      window: this.#streak,
      since: this.#since,
      confidence: context.maxFalseAlarmsPer10k / (context.maxFalseAlarmsPer10k + expectedPer10k),
      message: `${this.#streak} steps in a row failed; before that, ${(100 * rate).toFixed(0)} % of the steps did.`,
      suggestion:
        "Read the first error of the streak; go back to the checkpoint before it and try another way or tool.",
    };
  }

  acknowledge(): void {
    this.#streak = 0;
  }

  reset(): void {
    this.#steps = 0;
    this.#errors = 0;
    this.#streak = 0;
  }

  toJSON(): DetectorJson {
    return {
      type: TYPE,
      name: this.name,
      steps: this.#steps,
      errors: this.#errors,
      streak: this.#streak,
      since: this.#since,
    };
  }

  static fromJSON(json: DetectorJson): Detector {
    const reader = new JsonReader(json, TYPE);
    const detector = new ErrorStreak();
    detector.#steps = reader.integer("steps");
    detector.#errors = reader.integer("errors");
    detector.#streak = reader.integer("streak");
    detector.#since = reader.integer("since");
    return detector;
  }
}

export const readErrorStreak = ErrorStreak.fromJSON;
