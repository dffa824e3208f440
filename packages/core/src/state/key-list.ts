import type { StateObject } from "../node.js";

/** Listing more keys than this is slow: the engine keeps such objects as hash tables. */
export const MANY_KEYS = 128;
const lists = new WeakMap<StateObject, readonly string[]>();

/** Keys of a node that has many, listed once. */
export function keysOf(node: StateObject): readonly string[] {
  let keys = lists.get(node);
  if (keys === undefined) {
    keys = Object.keys(node);
    if (keys.length > MANY_KEYS) lists.set(node, keys);
  }
  return keys;
}

/** Lets a new version of a node with the same keys share the list. */
export function shareKeys(node: StateObject, former: StateObject): void {
  const keys = lists.get(former);
  if (keys !== undefined) lists.set(node, keys);
}

/** Whether these are the keys of a node, in order. */
export function hasKeys(node: StateObject, keys: readonly string[]): boolean {
  if (keys.length > MANY_KEYS) return sameList(keys, keysOf(node));
  let i = 0;
  // Frozen nodes have own, enumerable, named keys only, which this form of loop reads without a list of them.
  for (const key in node) {
    // Or something enumerable was put on the prototype.
    if (keys[i++] !== key) return sameList(keys, Object.keys(node));
  }
  return i === keys.length;
}

function sameList(a: readonly string[], b: readonly string[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Whether the `count` names of a live object are all it has: no symbol, and every one of them enumerable. */
export function hidesNothing(live: object, count: number): boolean {
  if (Object.getOwnPropertySymbols(live).length > 0) return false;
  if (count > MANY_KEYS) return Object.keys(live).length === count;
  let enumerable = 0;
  for (const _ in live) enumerable++;
  // More: something enumerable was put on the prototype.
  return enumerable === count || (enumerable > count && Object.keys(live).length === count);
}
