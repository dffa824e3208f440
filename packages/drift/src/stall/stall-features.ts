import { type JsonObject, JsonReader } from "../json.js";
import type { Step } from "./step-memory.js";

/** Steps that are counted: what is longer ago is forgiven. */
const WINDOW = 12;
/** Harmless repetitions in a row that are counted; further ones change nothing. */
const MAX_HARMLESS = 3;

/** What a run's last steps look like, as numbers; each grows with stagnation. */
export interface StallFeatures {
  /** Steps of the window whose observation was seen before, anywhere in the run. */
  readonly repeatedObservations: number;
  /** Latest steps in a row whose action was tried before. */
  readonly staleActions: number;
  /** Steps of the window with a new observation that nearly equals an earlier one. */
  readonly nearObservations: number;
  /** Latest steps in a row that failed. */
  readonly errorStreak: number;
  /** Steps of the window that failed with an observation seen before. */
  readonly repeatedErrors: number;
  /** Steps of the window that repeat harmlessly (polling). */
  readonly polls: number;
  /** 1 when this step, with a new action, saw what the last one saw. */
  readonly echo: number;
  /** How similar this action is to the one before, 0 to 1. */
  readonly similarity: number;
}

const REPEATED = 1;
const NEAR = 2;
const REPEATED_ERROR = 4;
const POLL = 8;
const ERROR = 16;

/** Counts over the last {@link WINDOW} steps. */
export class StallCounter {
  /** Flags of the last counted steps, newest last, and the numbers of their signals. */
  #window: number[] = [];
  #indices: number[] = [];
  #staleActions = 0;
  #errorStreak = 0;
  #harmless = 0;
  #features: StallFeatures = NOTHING;

  get features(): StallFeatures {
    return this.#features;
  }

  /** Steps that are counted now. */
  get size(): number {
    return this.#window.length;
  }

  /** Number of the signal at which the steps began to bring nothing new. */
  get since(): number {
    return this.#indices[this.#window.length - this.length] ?? this.#indices.at(-1) ?? 0;
  }

  /** Steps since the latest ones that bring nothing new or fail began; a single good step between these does not end them. */
  get length(): number {
    let length = 0;
    let good = 0;
    for (let n = 1; n <= this.#window.length && good < 2; n++) {
      if (this.#window[this.#window.length - n] !== 0) {
        good = 0;
        length = n;
      } else if (length > 0) good++;
    }
    return length;
  }

  /** Counts one step, that of signal `index`. */
  take(step: Step, index: number): StallFeatures {
    this.#harmless = step.harmless ? this.#harmless + 1 : step.observationSeen ? this.#harmless : 0;
    if (step.harmless && this.#harmless > MAX_HARMLESS) return this.#features;
    this.#errorStreak = step.error ? this.#errorStreak + 1 : 0;
    // The same action with a new answer is progress; only what it repeats in vain is stale.
    const vain = step.observationSeen || step.observationNear || step.error;
    this.#staleActions = step.actionSeen && vain ? this.#staleActions + 1 : 0;
    this.#window.push(
      (step.observationSeen || step.stateSeen ? REPEATED : 0) |
        (step.observationNear ? NEAR : 0) |
        (step.error && step.observationSeen ? REPEATED_ERROR : 0) |
        (step.harmless ? POLL : 0) |
        (step.error ? ERROR : 0),
    );
    this.#indices.push(index);
    if (this.#window.length > WINDOW) {
      this.#window.shift();
      this.#indices.shift();
    }
    this.#features = {
      repeatedObservations: this.#count(REPEATED),
      staleActions: Math.min(WINDOW, this.#staleActions),
      nearObservations: this.#count(NEAR),
      errorStreak: Math.min(WINDOW, this.#errorStreak),
      repeatedErrors: this.#count(REPEATED_ERROR),
      polls: this.#count(POLL),
      echo: step.echo ? 1 : 0,
      similarity: step.similarity,
    };
    return this.#features;
  }

  #count(flag: number): number {
    let n = 0;
    for (const flags of this.#window) if ((flags & flag) !== 0) n++;
    return n;
  }

  toJSON(): JsonObject {
    return {
      window: [...this.#window],
      indices: [...this.#indices],
      staleActions: this.#staleActions,
      errorStreak: this.#errorStreak,
      harmless: this.#harmless,
      features: { ...this.#features },
    };
  }

  static fromJSON(json: unknown): StallCounter {
    const reader = new JsonReader(json, "counter");
    const counter = new StallCounter();
    counter.#window = reader.numbers("window", WINDOW);
    counter.#indices = reader.numbers("indices", WINDOW);
    counter.#staleActions = reader.integer("staleActions");
    counter.#errorStreak = reader.integer("errorStreak");
    counter.#harmless = reader.integer("harmless");
    const features = reader.object("features");
    counter.#features = {
      repeatedObservations: features.number("repeatedObservations"),
      staleActions: features.number("staleActions"),
      nearObservations: features.number("nearObservations"),
      errorStreak: features.number("errorStreak"),
      repeatedErrors: features.number("repeatedErrors"),
      polls: features.number("polls"),
      echo: features.number("echo"),
      similarity: features.number("similarity"),
    };
    return counter;
  }
}

const NOTHING: StallFeatures = {
  repeatedObservations: 0,
  staleActions: 0,
  nearObservations: 0,
  errorStreak: 0,
  repeatedErrors: 0,
  polls: 0,
  echo: 0,
  similarity: 0,
};
