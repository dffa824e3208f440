import { flatten, type Leaf } from "../consistency/flatten.js";
import type { Detector, DetectorContext, DetectorEvidence, DetectorJson } from "../detector.js";
import { JsonReader } from "../json.js";
import type { Signal } from "../signal.js";

const TYPE = "consistency";
const MAX_PATHS = 1024;
/** States in which a place must have been the same before its change means anything. */
const LEARNED_AFTER = 20;
/** A number this many learned ranges outside its learned range is out of range. */
const RANGES_OUTSIDE = 3;

/** What was learned about one place of the state. */
export interface LearnedPlace {
  readonly path: string;
  readonly type: string;
  /** Number of states in a row in which it was there, with this type. */
  readonly seen: number;
  /** Range of a number, or of the length of a string or array. */
  readonly min: number | null;
  readonly max: number | null;
}

/** A detector that can show what it learned. */
export interface ConsistencyDetector extends Detector {
  /** What was learned so far, by path. */
  learned(): LearnedPlace[];
}

interface Place {
  type: string;
  seen: number;
  min: number | null;
  max: number | null;
}

/**
 * The shape of the state (`signal.state`), learned: which places are always there, of which type, in which range. A place that was the same in n states
 * and now is gone, of another type, or far out of its range has odds of 1 to n + 1 of being a coincidence (Laplace's rule of
 * succession; a type counts twice); drift when the product of the odds of one step is within the budget, a warning halfway there.
 */
export function consistency(): ConsistencyDetector {
  return new Consistency();
}

class Consistency implements ConsistencyDetector {
  readonly name = TYPE;
  #places = new Map<string, Place>();
  #score = 0;

  learned(): LearnedPlace[] {
    return [...this.#places]
      .map(([path, place]) => ({ path, ...place }))
      .sort((a, b) => (a.path < b.path ? -1 : 1));
  }

  observe(signal: Signal, context: DetectorContext): DetectorEvidence | undefined {
    this.#score = 0;
    if (signal.state === undefined) return undefined;
    const now = flatten(signal.state);
    const changes: { text: string; path: string; weight: number; before: string; after: string }[] = [];
    for (const [path, place] of this.#places) {
      if (place.seen < LEARNED_AFTER || this.#parentLost(path, now)) continue;
      const change = compare(place, now.get(path));
      if (change !== undefined) {
        changes.push({
          ...change,
          path,
          text: `${path} ${change.text}`,
          weight: change.weight * Math.log(place.seen + 2),
        });
      }
    }
    this.#learn(now);
    if (changes.length === 0) return undefined;
    changes.sort((a, b) => b.weight - a.weight);
    const total = changes.reduce((sum, change) => sum + change.weight, 0);
    const driftAt = Math.log(1e4 / context.maxFalseAlarmsPer10k);
    this.#score = 1 / (1 + Math.exp(driftAt - total));
    if (total < driftAt / 2) return undefined;
    const worst = changes[0]!;
    const told = changes.slice(0, 4).map((change) => change.text);
    return {
      metric: worst.path,
      level: total >= driftAt ? "drift" : "warn",
      before: worst.before,
      after: worst.after,
      window: 1,
      since: context.index,
      confidence: this.#score,
      message: `The state lost its usual shape: ${told.join("; ")}${changes.length > 4 ? `; and ${changes.length - 4} more` : ""}.`,
      suggestion:
        "Compare this state with the one before it, and restore the one before when the change is not meant.",
    };
  }

  /** Only the topmost lost place is told. */
  #parentLost(path: string, now: Map<string, Leaf>): boolean {
    const parent = path.endsWith("[]")
      ? path.slice(0, -2)
      : path.slice(0, Math.max(0, path.lastIndexOf(".")));
    if (parent === "" || now.has(parent)) return path.endsWith("[]") && !now.has(path);
    return this.#places.has(parent);
  }

  #learn(now: Map<string, Leaf>): void {
    for (const path of this.#places.keys()) if (!now.has(path)) this.#places.delete(path);
    for (const [path, leaf] of now) {
      const place = this.#places.get(path);
      if (place === undefined || (place.type !== leaf.type && leaf.type !== "null")) {
        if (this.#places.size < MAX_PATHS) {
          this.#places.set(path, {
            type: leaf.type,
            seen: 1,
            min: leaf.size ?? null,
            max: leaf.size ?? null,
          });
        }
        continue;
      }
      place.seen++;
      if (leaf.size === undefined) continue;
      place.min = Math.min(place.min ?? leaf.size, leaf.size);
      place.max = Math.max(place.max ?? leaf.size, leaf.size);
    }
  }

  score(): number {
    return this.#score;
  }

  acknowledge(): void {
    this.#score = 0;
  }

  reset(): void {
    this.#places.clear();
    this.#score = 0;
  }

  toJSON(): DetectorJson {
    const places = [...this.#places].map(([path, place]) => ({ path, ...place }));
    return { type: TYPE, name: this.name, places, score: this.#score };
  }

  static fromJSON(json: DetectorJson): ConsistencyDetector {
    const reader = new JsonReader(json, TYPE);
    const detector = new Consistency();
    for (const place of reader.objects("places", MAX_PATHS)) {
      detector.#places.set(place.string("path"), {
        type: place.string("type"),
        seen: place.integer("seen"),
        min: place.numberOrNull("min"),
        max: place.numberOrNull("max"),
      });
    }
    detector.#score = reader.number("score");
    return detector;
  }
}

export const readConsistency = Consistency.fromJSON;

function compare(
  place: Place,
  leaf: Leaf | undefined,
): { text: string; weight: number; before: string; after: string } | undefined {
  if (leaf === undefined) {
    return { text: `is gone, after ${place.seen} states`, weight: 1, before: place.type, after: "gone" };
  }
  if (leaf.type !== place.type && leaf.type !== "null" && place.type !== "null") {
    const text = `is ${leaf.type}, was ${place.type} in ${place.seen} states`;
    return { text, weight: 2, before: place.type, after: leaf.type };
  }
  const { min, max } = place;
  if (leaf.size === undefined || min === null || max === null) return undefined;
  const margin = RANGES_OUTSIDE * Math.max(max - min, Math.abs(max) * 0.1, 1);
  if (leaf.size >= min - margin && leaf.size <= max + margin) return undefined;
  const what = place.type === "number" ? "is" : "has length";
  const text = `${what} ${leaf.size}, was ${min} to ${max} in ${place.seen} states`;
  return { text, weight: 1, before: `${min}..${max}`, after: String(leaf.size) };
}
