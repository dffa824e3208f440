import { flatten, type Leaf, type Places, pathsAbove } from "../consistency/flatten.js";
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
  /** Number of states in a row in which it was there, with this type; states in which a bound hid it do not count. */
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
 *
 * Of a place that is lost with all below it, only the topmost counts; a place may be null at times. Looks at 512 places, six levels, 32 elements of each
 * array and 10,000 values of a state at most: a place that may only be out of sight is not reported as gone.
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
      if (place.seen < LEARNED_AFTER) continue;
      const leaf = now.seen.get(path);
      if (leaf === undefined && (now.mayHide(path) || !this.#isTopmost(path, now))) continue;
      const change = compare(place, leaf);
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

  /**
   * Whether a place that is gone was lost by itself. Where the place above it is gone, null or of another type, that one is the change; and an
   * array may run empty.
   */
  #isTopmost(path: string, now: Places): boolean {
    if (path.endsWith("[]")) return false;
    for (const above of pathsAbove(path)) {
      const place = this.#places.get(above);
      if (place !== undefined) return now.seen.get(above)?.type === place.type;
    }
    return true;
  }

  #learn(now: Places): void {
    for (const path of this.#places.keys())
      if (!now.seen.has(path) && !now.mayHide(path)) this.#places.delete(path);
    // Places that stay out of sight must not keep new ones from being learned.
    if (this.#places.size + now.seen.size > MAX_PATHS)
      for (const path of this.#places.keys()) if (!now.seen.has(path)) this.#places.delete(path);
    for (const [path, leaf] of now.seen) this.#learnPlace(path, leaf);
  }

  #learnPlace(path: string, leaf: Leaf): void {
    const place = this.#places.get(path);
    if (place === undefined || isOtherType(place, leaf)) {
      const { type, size = null } = leaf;
      this.#places.set(path, { type, seen: 1, min: size, max: size });
      return;
    }
    place.seen++;
    if (leaf.size === undefined || place.type === "mixed") return;
    place.min = Math.min(place.min ?? leaf.size, leaf.size);
    place.max = Math.max(place.max ?? leaf.size, leaf.size);
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

/** A mixed place takes any type, and any place may be null. */
function isOtherType(place: Place, leaf: Leaf): boolean {
  return leaf.type !== place.type && leaf.type !== "null" && place.type !== "mixed";
}

function compare(
  place: Place,
  leaf: Leaf | undefined,
): { text: string; weight: number; before: string; after: string } | undefined {
  if (leaf === undefined) {
    return { text: `is gone, after ${place.seen} states`, weight: 1, before: place.type, after: "gone" };
  }
  if (isOtherType(place, leaf) && place.type !== "null") {
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
