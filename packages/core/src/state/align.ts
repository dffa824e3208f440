import type { StateArray } from "../node.js";
import { Places } from "./places.js";
import { type SameContext, sameElement } from "./same.js";

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
  let places: Places | undefined;
  let next = start;
  for (let i = start; i < liveEnd; i++) {
    if (next < oldEnd && used[next - start] === 0 && sameElement(live[i], old[next]!, context)) {
      matches[i - start] = next;
      used[next - start] = 1;
      next++;
      continue;
    }
    places ??= new Places(old, start, oldEnd, context);
    const found = places.find(live[i], used);
    if (found === NONE) continue;
    matches[i - start] = found;
    used[found - start] = 1;
    next = found + 1;
  }
  return matches;
}

/** How many leading elements are equal, up to `limit`. */
export function equalPrefix(
  live: readonly unknown[],
  old: StateArray,
  limit: number,
  context: SameContext,
): number {
  let i = 0;
  while (i < limit && sameElement(live[i], old[i]!, context)) i++;
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
  while (i < limit && sameElement(live[a - i], old[b - i]!, context)) i++;
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
