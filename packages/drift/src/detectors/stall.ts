import type { Detector, DetectorContext, DetectorEvidence, DetectorJson } from "../detector.js";
import { JsonReader } from "../json.js";
import type { Signal } from "../signal.js";
import { checkPollers, isPoller } from "../stall/pollers.js";
import { StallCounter, type StallFeatures } from "../stall/stall-features.js";
import { StepMemory } from "../stall/step-memory.js";

const TYPE = "stall";
const MAX_POLLERS = 256;

/**
 * Log odds that a run is going nowhere, from what its last steps look like: a logistic regression on labelled runs of capable models (eight
 * counts, two of their combinations), fitted once.
 */
const INTERCEPT = -0.49;
const WEIGHTS = {
  repeatedObservations: 0.16,
  /** The first three repeated observations weigh most. */
  firstRepeatedObservations: 1,
  staleActions: 0.21,
  nearObservations: 0.26,
  errorStreak: 0.44,
  repeatedErrors: -0.48,
  polls: 0.06,
  echo: -1.19,
  similarity: 1.23,
  /** A slightly changed action that shows the same thing again. */
  similarEcho: 1.01,
} as const;

/** Log odds at which the default budget calls it drift, and how much a tenfold budget lowers it. */
const DRIFT_AT = 2.9;
const PER_DECADE = 0.7;
const DEFAULT_SHARE = 0.2;
const WARN_BELOW = 1.6;
/** Whatever the budget: what is less likely than not is worth no warning. */
const LEAST_WARN_AT = 0;
/** Shorter runs say nothing. */
const MIN_STEPS = 3;
/** An agent whose usual steps look repetitive is measured against itself, fully after so many steps. */
const SELF_STEPS = 50;
const SELF_RATE = 1 / 200;

/** Options of {@link stall}. */
export interface StallOptions {
  /** Tools or actions that may repeat without harm; a `*` at the end matches any continuation. */
  readonly pollers?: readonly string[];
}

/**
 * An agent that goes nowhere: observations, actions and states that were there before, anywhere in the run and not only one after the other;
 * observations that nearly equal earlier ones; failures in a row; retries that show the same again. Uses the signal's `action`
 * (or `tool`), `arguments`, `observation`, `observationSimhash`, `stateHash` and `outcome`; texts and hashes both do.
 *
 * Repetition that looks like polling (the same successful action with the same, or nearly the same, answer) warns and is never drift by
 * itself: drift needs what would be worth a warning without it. Declared pollers are ignored altogether. Drift is only called after a warning,
 * on a step that brings nothing new.
 */
export function stall(options: StallOptions = {}): Detector {
  return new Stall(checkPollers(options.pollers));
}

class Stall implements Detector {
  readonly name = TYPE;
  readonly #pollers: readonly string[];
  #memory = new StepMemory();
  #counter = new StallCounter();
  /** The same without what looks like polling, and its log odds. */
  #withoutPolls = new StallCounter();
  #oddsAlone = 0;
  #steps = 0;
  /** Mean log odds of the agent's own past. */
  #usual = 0;
  #score = 0;
  /** Whether the step before was suspect as well: a first suspicion warns, it never acts. */
  #warned = false;

  constructor(pollers: readonly string[]) {
    this.#pollers = pollers;
  }

  observe(signal: Signal, context: DetectorContext): DetectorEvidence | undefined {
    this.#score = 0;
    if (signal.action === undefined && signal.tool === undefined && signal.observation === undefined)
      return undefined;
    if (isPoller(signal, this.#pollers)) return undefined;
    const step = this.#memory.take(signal);
    const features = this.#counter.take(step, context.index);
    if (!step.harmless) this.#oddsAlone = logOdds(this.#withoutPolls.take(step, context.index));
    this.#steps++;
    const odds = logOdds(features);
    const usual = Math.max(0, this.#usual) * Math.min(1, this.#steps / SELF_STEPS);
    this.#usual += (odds - this.#usual) * Math.max(SELF_RATE, 1 / (this.#steps + SELF_STEPS));
    this.#score = this.#steps < MIN_STEPS ? 0 : 1 / (1 + Math.exp(usual - odds));
    const driftAt = DRIFT_AT + usual + PER_DECADE * Math.log10(DEFAULT_SHARE / context.maxFalseAlarmsPer10k);
    const idle =
      step.error || step.observationSeen || step.observationNear || step.actionSeen || step.stateSeen;
    const warned = this.#warned;
    const warnAt = Math.max(LEAST_WARN_AT, driftAt - WARN_BELOW);
    const signs = signsOf(features);
    this.#warned = this.#steps >= MIN_STEPS && odds >= warnAt && signs.length > 0;
    if (!this.#warned) return undefined;
    const polling = this.#oddsAlone < warnAt;
    const drift = warned && idle && odds >= driftAt && !polling;
    return this.#describe(features, signs, drift ? "drift" : "warn", polling);
  }

  #describe(
    features: StallFeatures,
    signs: readonly string[],
    level: "warn" | "drift",
    polling: boolean,
  ): DetectorEvidence {
    return {
      metric: features.repeatedObservations > 0 ? "observation" : "action",
      level,
      before: "new observations",
      after: `${features.repeatedObservations + features.nearObservations} of ${this.#counter.size} steps brought nothing new`,
      window: this.#counter.length,
      since: this.#counter.since,
      confidence: this.#score,
      message: `The run is going nowhere: of the last ${this.#counter.size} steps ${signs.join(", ")}.`,
      suggestion: polling
        ? "If the agent waits for something slow, declare the tool in `pollers`; if not, give it another way to go on."
        : "Go back to the checkpoint before the repetition began, tell the agent what was tried in vain, and ask for another way.",
    };
  }

  score(): number {
    return this.#score;
  }

  /** The steps of the episode are forgotten with the rest: the agent may try them again from the restored state. */
  acknowledge(): void {
    this.#memory = new StepMemory();
    this.#counter = new StallCounter();
    this.#withoutPolls = new StallCounter();
    this.#oddsAlone = 0;
    this.#score = 0;
    this.#warned = false;
  }

  reset(): void {
    this.acknowledge();
    this.#steps = 0;
    this.#usual = 0;
  }

  toJSON(): DetectorJson {
    return {
      type: TYPE,
      name: this.name,
      pollers: [...this.#pollers],
      memory: this.#memory.toJSON(),
      counter: this.#counter.toJSON(),
      withoutPolls: this.#withoutPolls.toJSON(),
      oddsAlone: this.#oddsAlone,
      steps: this.#steps,
      usual: this.#usual,
      score: this.#score,
      warned: this.#warned,
    };
  }

  static fromJSON(json: DetectorJson): Detector {
    const reader = new JsonReader(json, TYPE);
    const detector = new Stall(reader.strings("pollers", MAX_POLLERS));
    detector.#memory = StepMemory.fromJSON(reader.value("memory"));
    detector.#counter = StallCounter.fromJSON(reader.value("counter"));
    detector.#withoutPolls = StallCounter.fromJSON(reader.value("withoutPolls"));
    detector.#oddsAlone = reader.number("oddsAlone");
    detector.#steps = reader.integer("steps");
    detector.#usual = reader.number("usual");
    detector.#score = reader.number("score");
    detector.#warned = reader.boolean("warned");
    return detector;
  }
}

export const readStall = Stall.fromJSON;

/** What there is to tell; without any of these a run is not suspect, however alike its actions are. */
function signsOf(features: StallFeatures): string[] {
  const signs = [
    [features.repeatedObservations, "showed something seen before"],
    [features.nearObservations, "showed nearly the same as before"],
    [features.errorStreak, "in a row failed"],
    [features.staleActions, "in a row tried what had been tried"],
  ] as const;
  return signs.filter(([n]) => n > 0).map(([n, text]) => `${n} ${text}`);
}

function logOdds(features: StallFeatures): number {
  return (
    INTERCEPT +
    WEIGHTS.repeatedObservations * features.repeatedObservations +
    WEIGHTS.firstRepeatedObservations * Math.min(3, features.repeatedObservations) +
    WEIGHTS.staleActions * features.staleActions +
    WEIGHTS.nearObservations * features.nearObservations +
    WEIGHTS.errorStreak * features.errorStreak +
    WEIGHTS.repeatedErrors * features.repeatedErrors +
    WEIGHTS.polls * features.polls +
    WEIGHTS.echo * features.echo +
    WEIGHTS.similarity * features.similarity +
    WEIGHTS.similarEcho * features.echo * features.similarity
  );
}
