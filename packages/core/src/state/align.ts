import type { StateArray } from "../node.js";
import { fingerprint } from "./fingerprint.js";
import { type SameContext, same } from "./same.js";

/** At most so many elements of one fingerprint are compared before an element counts as new. */
const MAX_CANDIDATES = 8;
const NONE = -1;

/**
 * Which old element each live element equals, by content: runs are followed element by element, and where a run
 * breaks, the place to go on is looked up by fingerprint. Linear but for colliding fingerprints, whose trials are bounded.
 * Returns, for each live index in `[start, liveEnd)`, the old index or -1.
 */
export function matchMiddle(
  live: readonly unknown[],
  old: StateArray,
  start: number,
  liveEnd: number,
  oldEnd: number,
  context: SameContext,
): Int32Array {
  const matches = new Int32Array(liveEnd - start).fill(NONE);
  const used = new Uint8Array(oldEnd - start);
  let places: Map<number, number[]> | undefined;
  let next = start;
  for (let i = start; i < liveEnd; i++) {
    if (next < oldEnd && used[next - start] === 0 && same(live[i], old[next]!, context)) {
      matches[i - start] = next;
      used[next - start] = 1;
      next++;
      continue;
    }
    places ??= placesByFingerprint(old, start, oldEnd);
    const found = lookUp(live[i], places, old, used, start, context);
    if (found === NONE) continue;
    matches[i - start] = found;
    used[found - start] = 1;
    next = found + 1;
  }
  return matches;
}

function placesByFingerprint(old: StateArray, start: number, end: number): Map<number, number[]> {
  const places = new Map<number, number[]>();
  // Backwards, so that the earliest place is taken from a list's end first.
  for (let i = end - 1; i >= start; i--) {
    const key = fingerprint(old[i]);
    const list = places.get(key);
    if (list === undefined) places.set(key, [i]);
    else list.push(i);
  }
  return places;
}

function lookUp(
  live: unknown,
  places: ReadonlyMap<number, number[]>,
  old: StateArray,
  used: Uint8Array,
  start: number,
  context: SameContext,
): number {
  const list = places.get(fingerprint(live));
  if (list === undefined) return NONE;
  while (list.length > 0 && used[list[list.length - 1]! - start] === 1) list.pop();
  for (let k = list.length - 1, tries = 0; k >= 0 && tries < MAX_CANDIDATES; k--) {
    const place = list[k]!;
    if (used[place - start] === 1) continue;
    tries++;
    if (same(live, old[place]!, context)) return place;
  }
  return NONE;
}

/** How many leading elements are equal, up to `limit`. A hole ends the run. */
export function equalPrefix(
  live: readonly unknown[],
  old: StateArray,
  limit: number,
  context: SameContext,
): number {
  let i = 0;
  while (i < limit && same(live[i], old[i]!, context) && (live[i] !== undefined || Object.hasOwn(live, i)))
    i++;
  return i;
}

/** How many trailing elements are equal, up to `limit`. */
export function equalSuffix(
  live: readonly unknown[],
  old: StateArray,
  limit: number,
  context: SameContext,
): number {
  const a = live.length - 1;
  const b = old.length - 1;
  let i = 0;
  while (i < limit && same(live[a - i], old[b - i]!, context)) i++;
  return i;
}

/**
 * For each index of the middle without a match, the old index to share inside with, or -1: the unmatched old elements
 * between the same neighbours, in order.
 */
export function counterparts(matches: Int32Array, start: number, oldEnd: number): Int32Array {
  const taken = new Uint8Array(oldEnd - start);
  for (let i = 0; i < matches.length; i++) if (matches[i] !== NONE) taken[matches[i]! - start] = 1;
  const pairs = new Int32Array(matches.length).fill(NONE);
  let cursor = start;
  for (let i = 0; i < matches.length; i++) {
    const match = matches[i]!;
    if (match !== NONE) {
      cursor = match + 1;
    } else if (cursor < oldEnd && taken[cursor - start] === 0) {
      pairs[i] = cursor++;
    }
  }
  return pairs;
}
