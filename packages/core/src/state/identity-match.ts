import type { StateArray, StateNode } from "../node.js";

const NONE = -1;

/**
 * For each new index in `[start, newEnd)`, the old index in `[start, oldEnd)` with the same reference or the same
 * primitive, or -1. Runs are followed; each old element serves once.
 */
export function matchByIdentity(
  old: StateArray,
  next: StateArray,
  start: number,
  oldEnd: number,
  newEnd: number,
): Int32Array {
  const matches = new Int32Array(newEnd - start).fill(NONE);
  if (oldEnd === start || newEnd === start) return matches;
  const used = new Uint8Array(oldEnd - start);
  const places = placesByIdentity(old, start, oldEnd);
  let follow = start;
  for (let i = start; i < newEnd; i++) {
    const node = next[i]!;
    let place = follow;
    if (follow >= oldEnd || used[follow - start] === 1 || old[follow] !== node) {
      const list = places.get(node);
      while (list !== undefined && list.length > 0 && used[list[list.length - 1]! - start] === 1) list.pop();
      place = list === undefined || list.length === 0 ? NONE : list[list.length - 1]!;
    }
    if (place === NONE) continue;
    matches[i - start] = place;
    used[place - start] = 1;
    follow = place + 1;
  }
  return matches;
}

function placesByIdentity(old: StateArray, start: number, end: number): Map<StateNode, number[]> {
  const places = new Map<StateNode, number[]>();
  for (let i = end - 1; i >= start; i--) {
    const list = places.get(old[i]!);
    if (list === undefined) places.set(old[i]!, [i]);
    else list.push(i);
  }
  return places;
}
