import { BinaryLeaf, type StateArray, type StateNode, type StateObject, TAG } from "../node.js";
import { counterparts } from "./align.js";
import type { ArrayChange, ArrayEdit, Change, ObjectChange } from "./change.js";
import { matchByIdentity } from "./identity-match.js";
import { isContainer, keyWeight, weightOf } from "./node-meta.js";
import { bytesSplice, textSplice } from "./splice.js";

const REPLACE_WEIGHT = 10;
const EDIT_WEIGHT = 8;
const CONTAINER_WEIGHT = 10;

/** How `previous` becomes `next`; undefined when they are equal. Prunes at identical references. */
export function diffNodes(previous: StateNode, next: StateNode): Change | undefined {
  if (previous === next) return undefined;
  const change = cheaperChange(previous, next);
  const weight = weightOf(next) + REPLACE_WEIGHT;
  if (change === undefined || change === EQUAL) return change === EQUAL ? undefined : replace(next, weight);
  return change.weight < patience(next, weight) ? change : replace(next, weight);
}

/**
 * How much a change may weigh before replacing is better. Of containers people see the change, in patches and displays, so
 * one that says more precisely what happened may weigh a little more.
 */
const patience = (next: StateNode, weight: number): number =>
  isContainer(next) && !(next instanceof BinaryLeaf) ? weight * 1.5 + 64 : weight;

const replace = (node: StateNode, weight: number): Change => ({ kind: "replace", weight, node });

/** Equal in content, though not one reference. */
const EQUAL = Symbol("equal");

function cheaperChange(previous: StateNode, next: StateNode): Change | typeof EQUAL | undefined {
  if (typeof previous === "string" && typeof next === "string") return textSplice(previous, next);
  if (typeof previous !== "object" || typeof next !== "object" || previous === null || next === null)
    return undefined;
  if (previous instanceof BinaryLeaf || next instanceof BinaryLeaf) {
    if (!(previous instanceof BinaryLeaf && next instanceof BinaryLeaf)) return undefined;
    return Buffer.compare(previous.bytes, next.bytes) === 0 ? EQUAL : bytesSplice(previous.bytes, next.bytes);
  }
  if (Array.isArray(previous) !== Array.isArray(next)) return undefined;
  if (Array.isArray(previous)) return diffArrays(previous, next as StateArray);
  return diffObjects(previous as StateObject, next as StateObject);
}

function diffObjects(previous: StateObject, next: StateObject): ObjectChange | typeof EQUAL | undefined {
  if (previous[TAG] !== next[TAG]) return undefined;
  const oldKeys = Object.keys(previous);
  const newKeys = Object.keys(next);
  // Nearly always: then nothing was removed, added or moved.
  const sameKeys = oldKeys.length === newKeys.length && oldKeys.every((key, i) => key === newKeys[i]);
  const removed = sameKeys ? [] : oldKeys.filter((key) => !Object.hasOwn(next, key));
  const patched: [string, Change][] = [];
  const setKeys: string[] = [];
  const setNodes: StateNode[] = [];
  let weight = CONTAINER_WEIGHT;
  for (const key of removed) weight += keyWeight(key);
  for (const key of newKeys) {
    const isNew = !sameKeys && !Object.hasOwn(previous, key);
    const change = isNew ? replace(next[key]!, weightOf(next[key]!)) : diffNodes(previous[key]!, next[key]!);
    if (change === undefined) continue;
    weight += keyWeight(key) + change.weight;
    if (change.kind === "replace") {
      setKeys.push(key);
      setNodes.push(change.node);
    } else {
      patched.push([key, change]);
    }
  }
  const order = sameKeys ? undefined : keyOrder(oldKeys, newKeys, removed, previous);
  if (order !== undefined) weight += order.length * 5;
  if (removed.length + patched.length + setKeys.length === 0 && order === undefined) return EQUAL;
  return { kind: "object", weight, removed, patched, setKeys, setNodes, order };
}

/** Runs over the keys as they stand after removing and appending; undefined when that is the new order. */
function keyOrder(
  oldKeys: readonly string[],
  newKeys: readonly string[],
  removed: readonly string[],
  previous: StateObject,
): number[] | undefined {
  const gone = new Set(removed);
  const standing = removed.length === 0 ? oldKeys.slice() : oldKeys.filter((key) => !gone.has(key));
  if (newKeys.length > standing.length) {
    for (const key of newKeys) if (!Object.hasOwn(previous, key)) standing.push(key);
  }
  if (newKeys.every((key, i) => key === standing[i])) return undefined;
  const places = new Map(standing.map((key, i) => [key, i]));
  const runs: number[] = [];
  for (const key of newKeys) {
    const place = places.get(key)!;
    const last = runs.length - 2;
    if (last >= 0 && runs[last]! + runs[last + 1]! === place) runs[last + 1]!++;
    else runs.push(place, 1);
  }
  return runs;
}

function diffArrays(previous: StateArray, next: StateArray): ArrayChange | typeof EQUAL {
  const shorter = Math.min(previous.length, next.length);
  let prefix = 0;
  while (prefix < shorter && previous[prefix] === next[prefix]) prefix++;
  let suffix = 0;
  const rest = shorter - prefix;
  while (suffix < rest && previous[previous.length - 1 - suffix] === next[next.length - 1 - suffix]) suffix++;
  const script = new EditScript();
  script.keep(0, prefix);
  const oldEnd = previous.length - suffix;
  const newEnd = next.length - suffix;
  if (oldEnd - prefix === 1 && newEnd - prefix === 1) script.become(previous, prefix, next[prefix]!);
  else if (oldEnd === prefix) for (let i = prefix; i < newEnd; i++) script.become(previous, -1, next[i]!);
  else if (newEnd > prefix) script.match(previous, next, prefix, oldEnd, newEnd);
  script.keep(oldEnd, suffix);
  const only = script.edits[0];
  const isEqual =
    previous.length === next.length &&
    (previous.length === 0 ||
      (script.edits.length === 1 && only?.kind === "keep" && only.count === next.length));
  return isEqual ? EQUAL : { kind: "array", weight: script.weight, edits: script.edits };
}

/** Collects edits, joining neighbours. */
class EditScript {
  readonly edits: ArrayEdit[] = [];
  weight = CONTAINER_WEIGHT;
  private inserting: StateNode[] | undefined;
  private keeping: { kind: "keep"; from: number; count: number } | undefined;

  keep(from: number, count: number): void {
    if (count === 0) return;
    this.inserting = undefined;
    if (this.keeping !== undefined && this.keeping.from + this.keeping.count === from) {
      this.keeping.count += count;
      return;
    }
    this.keeping = { kind: "keep", from, count };
    this.edits.push(this.keeping);
    this.weight += EDIT_WEIGHT;
  }

  /** The new elements from `start` on, out of the old ones: kept where one is the same, else put in the place of its counterpart. */
  match(previous: StateArray, next: StateArray, start: number, oldEnd: number, newEnd: number): void {
    const matches = matchByIdentity(previous, next, start, oldEnd, newEnd);
    const pairs = counterparts(matches, start, oldEnd);
    for (let i = start; i < newEnd; i++) {
      const match = matches[i - start]!;
      if (match >= 0) this.keep(match, 1);
      else this.become(previous, pairs[i - start]!, next[i]!);
    }
  }

  /** The new element `node`; `from` is the old element that it may be a version of, or -1. */
  become(previous: StateArray, from: number, node: StateNode): void {
    const change = from < 0 ? undefined : diffNodes(previous[from]!, node);
    if (from >= 0 && change === undefined) {
      this.keep(from, 1);
    } else if (change === undefined || change.kind === "replace") {
      this.insert(node);
    } else {
      this.inserting = undefined;
      this.keeping = undefined;
      this.edits.push({ kind: "patch", from, change });
      this.weight += EDIT_WEIGHT + change.weight;
    }
  }

  private insert(node: StateNode): void {
    this.keeping = undefined;
    if (this.inserting === undefined) {
      this.inserting = [];
      this.edits.push({ kind: "insert", nodes: this.inserting });
      this.weight += EDIT_WEIGHT;
    }
    this.inserting.push(node);
    this.weight += weightOf(node) + 1;
  }
}
