import { type JsonObject, JsonReader } from "../json.js";
import { differingBits, fingerprint, simhash, tokens } from "../math/fingerprint.js";
import type { Signal } from "../signal.js";
import { actionText } from "./action-text.js";

/** Different actions and observations that are remembered; the oldest go first. */
const CAPACITY = 512;
/** Observations compared for near-duplicates, newest first. */
const NEAR_CAPACITY = 64;
/** Observations that differ in at most so many of 64 bits are nearly the same. */
const NEAR_BITS = 10;
/** An action that gave this observation before; others have other numbers. */
const SEVERAL = -1;

/** What one step was, compared with all that is remembered. */
export interface Step {
  readonly error: boolean;
  readonly actionSeen: boolean;
  readonly observationSeen: boolean;
  /** A new observation that nearly equals an earlier one. */
  readonly observationNear: boolean;
  /** The very observation of the step before, from another action. */
  readonly echo: boolean;
  /** A successful step that repeats one of the last two, with a new observation or with one that no other action ever gave: what polling looks like. */
  readonly harmless: boolean;
  /** The state after it was there before. */
  readonly stateSeen: boolean;
  /** Share of the action's tokens and token pairs that it has in common with the action before, 0 to 1. */
  readonly similarity: number;
  /** Names the action and the observation together. */
  readonly pair: number;
}

/**
 * Remembers actions, observations and states of a run by their fingerprints, anywhere in the run and not only one after the other, in bounded memory.
 */
export class StepMemory {
  #actions = new Map<number, number>();
  /** Observation → the action that gave it, or SEVERAL. */
  #observations = new Map<number, number>();
  #states = new Map<number, number>();
  /** Similarity hashes of the latest observations, as pairs of 32-bit numbers. */
  #near: number[] = [];
  #lastObservation = 0;
  /** Action and pair of the last two steps, newest first. */
  #recent: { action: number; pair: number }[] = [];
  #lastGrams: number[] = [];

  /** Compares a step with the past, then remembers it. */
  take(signal: Signal): Step {
    const text = actionText(signal) ?? "";
    const action = fingerprint(text);
    const error = signal.outcome === "error";
    const observation = signal.observation === undefined ? undefined : fingerprint(signal.observation);
    const source = observation === undefined ? undefined : this.#observations.get(observation);
    const actionSeen = text !== "" && this.#actions.has(action);
    // Showing nothing is what many successful steps do: it only counts when the action repeats as well.
    const silent = signal.observation === "" && !error && !actionSeen;
    const observationSeen = source !== undefined && !silent;
    const observationNear = this.#isNear(signal, observationSeen);
    const pair = fingerprint(`${action}:${observation ?? ""}`);
    const samePlace = this.#recent.some((step) => step.action === action);
    const sameAnswer =
      this.#recent.some((step) => step.pair === pair) && (source === action || signal.observation === "");
    const step: Step = {
      error,
      actionSeen,
      observationSeen,
      observationNear,
      echo: observationSeen && !actionSeen && observation === this.#lastObservation,
      harmless: !error && actionSeen && (sameAnswer || (samePlace && !observationSeen)),
      stateSeen: this.#seeState(signal.stateHash),
      similarity: this.#compareAction(text),
      pair,
    };
    this.#remember(action, observation, text);
    this.#recent = [{ action, pair }, ...this.#recent.slice(0, 1)];
    return step;
  }

  #isNear(signal: Signal, seen: boolean): boolean {
    if (signal.observation === undefined || signal.observation === "") return false;
    const hash =
      signal.observationSimhash ?? (/\s/.test(signal.observation) ? simhash(signal.observation) : undefined);
    if (hash === undefined || !/^[0-9a-f]{16}$/i.test(hash)) return false;
    const high = Number.parseInt(hash.slice(0, 8), 16) | 0;
    const low = Number.parseInt(hash.slice(8), 16) | 0;
    let near = false;
    for (let i = 0; i < this.#near.length && !near; i += 2) {
      near = differingBits(this.#near[i]!, high) + differingBits(this.#near[i + 1]!, low) <= NEAR_BITS;
    }
    if (!seen) {
      this.#near.push(high, low);
      if (this.#near.length > 2 * NEAR_CAPACITY) this.#near.splice(0, 2);
    }
    return near && !seen;
  }

  #seeState(hash: string | undefined): boolean {
    if (hash === undefined) return false;
    const key = fingerprint(hash);
    const seen = this.#states.has(key);
    put(this.#states, key, 0);
    return seen;
  }

  #compareAction(text: string): number {
    const words = tokens(text);
    const grams = new Set<number>();
    for (let i = 0; i < words.length; i++) {
      grams.add(fingerprint(words[i]!));
      if (i + 1 < words.length) grams.add(fingerprint(`${words[i]} ${words[i + 1]}`));
    }
    let common = 0;
    for (const gram of this.#lastGrams) if (grams.has(gram)) common++;
    const union = grams.size + this.#lastGrams.length - common;
    this.#lastGrams = [...grams].slice(0, CAPACITY);
    return union === 0 ? 0 : common / union;
  }

  #remember(action: number, observation: number | undefined, text: string): void {
    if (text !== "") put(this.#actions, action, 0);
    if (observation === undefined) return;
    const source = this.#observations.get(observation);
    put(this.#observations, observation, source === undefined || source === action ? action : SEVERAL);
    this.#lastObservation = observation;
  }

  toJSON(): JsonObject {
    return {
      actions: [...this.#actions.keys()],
      observations: [...this.#observations.entries()].flat(),
      states: [...this.#states.keys()],
      near: [...this.#near],
      lastObservation: this.#lastObservation,
      recent: this.#recent.flatMap((step) => [step.action, step.pair]),
      lastGrams: [...this.#lastGrams],
    };
  }

  static fromJSON(json: unknown): StepMemory {
    const reader = new JsonReader(json, "steps");
    const memory = new StepMemory();
    for (const key of reader.numbers("actions", CAPACITY)) memory.#actions.set(key, 0);
    const observations = reader.numbers("observations", 2 * CAPACITY);
    for (let i = 0; i + 1 < observations.length; i += 2)
      memory.#observations.set(observations[i]!, observations[i + 1]!);
    for (const key of reader.numbers("states", CAPACITY)) memory.#states.set(key, 0);
    memory.#near = reader.numbers("near", 2 * NEAR_CAPACITY);
    memory.#lastObservation = reader.number("lastObservation");
    const recent = reader.numbers("recent", 4);
    for (let i = 0; i + 1 < recent.length; i += 2)
      memory.#recent.push({ action: recent[i]!, pair: recent[i + 1]! });
    memory.#lastGrams = reader.numbers("lastGrams", CAPACITY);
    return memory;
  }
}

/** Puts a key last; the map forgets its oldest beyond the capacity. */
function put(map: Map<number, number>, key: number, value: number): void {
  map.delete(key);
  map.set(key, value);
  if (map.size > CAPACITY) map.delete(map.keys().next().value!);
}
