import { BinaryLeaf } from "../node.js";
import { tooDeep } from "../state/adopt.js";
import { corrupt } from "../state/corrupt.js";
import type { ResolvedLimits } from "../state/limits.js";
import { ArrayBranch, isUnread, ObjectBranch, openBranch, type Slot } from "./branch.js";
import { badStructure, buildItems, buildNode, setEntries, stringList } from "./build.js";
import { editArray } from "./edit-array.js";
import { EDIT_ARRAY, EDIT_BYTES, EDIT_OBJECT, EDIT_TEXT, REPLACE, type Structure } from "./format.js";
import type { PartSource } from "./part.js";

/** Applies the structure of a change to a slot, in place where it is a container. Returns what stands there now. */
export function editSlot(
  slot: Slot,
  change: Structure,
  parts: PartSource,
  limits: ResolvedLimits,
  depth: number,
): Slot {
  if (!Array.isArray(change)) throw badStructure();
  if (depth > limits.maxDepth) throw tooDeep(limits);
  const list = change as readonly Structure[];
  switch (list[0]) {
    case REPLACE:
      if (list.length !== 2) throw badStructure();
      return buildNode(list[1]!, parts, limits, depth);
    case EDIT_ARRAY: {
      const branch = openBranch(slot);
      if (!(branch instanceof ArrayBranch)) throw misfit();
      editArray(branch, list, parts, limits, depth + 1, editSlot);
      return branch;
    }
    case EDIT_OBJECT: {
      const branch = openBranch(slot);
      if (!(branch instanceof ObjectBranch)) throw misfit();
      editObject(branch, list, parts, limits, depth + 1);
      return branch;
    }
    case EDIT_TEXT:
      return editText(slot, list, parts);
    case EDIT_BYTES:
      return editBytes(slot, list, parts);
    default:
      throw badStructure();
  }
}

function misfit(): Error {
  return corrupt("A delta does not fit the state that it is applied to.");
}

function editObject(
  branch: ObjectBranch,
  list: readonly Structure[],
  parts: PartSource,
  limits: ResolvedLimits,
  depth: number,
): void {
  const [, patches = [], setKeys = [], items = [], removed = [], order = []] = list;
  if (list.length > 6 || !Array.isArray(patches) || patches.length % 2 !== 0 || !Array.isArray(items)) {
    throw badStructure();
  }
  checkDistinct(patches);
  for (const key of stringList(removed)) {
    branch.forget(key);
    if (!branch.entries.delete(key)) throw misfit();
  }
  for (let i = 0; i < patches.length; i += 2) {
    const key = patches[i] as unknown;
    const child = typeof key === "string" ? branch.entries.get(key) : undefined;
    if (child === undefined) throw misfit();
    branch.forget(key as string);
    branch.entries.set(key as string, editSlot(child, patches[i + 1] as Structure, parts, limits, depth));
  }
  const values = new ArrayBranch([], []);
  buildItems(items as readonly Structure[], 0, values, parts, limits, depth);
  // Values that are set together need not stand together in the object: their run is no group of its own.
  values.hints = values.hints.filter(({ count }) => count === 1);
  setEntries(branch, stringList(setKeys), values);
  if (!Array.isArray(order)) throw badStructure();
  if (order.length > 0) reorder(branch, order);
}

/** A key that is patched again and again would cost the size of its value each time. */
function checkDistinct(patches: readonly unknown[]): void {
  if (patches.length <= 2) return;
  const keys = new Set<unknown>();
  for (let i = 0; i < patches.length; i += 2) keys.add(patches[i]);
  if (keys.size * 2 !== patches.length) throw corrupt("A delta patches a key twice.");
}

function reorder(branch: ObjectBranch, order: readonly unknown[]): void {
  const keys = [...branch.entries.keys()];
  const entries = new Map<string, Slot>();
  let total = 0;
  for (let i = 0; i < order.length; i += 2) {
    const from = index(order[i], keys.length);
    const count = index(order[i + 1], keys.length - from);
    total += count;
    if (total > keys.length) throw misfit();
    for (let k = from; k < from + count; k++) entries.set(keys[k]!, branch.entries.get(keys[k]!)!);
  }
  if (entries.size !== keys.length) throw misfit();
  branch.entries = entries;
  branch.hints.clear();
}

/** A whole number from 0 to `highest`. */
function index(value: unknown, highest: number): number {
  if (!Number.isInteger(value) || (value as number) < 0 || (value as number) > highest) throw misfit();
  return value as number;
}

function editText(old: Slot, list: readonly Structure[], parts: PartSource): string {
  const slot = isUnread(old) ? old.node : old;
  if (typeof slot !== "string" || list.length !== 3) throw misfit();
  const prefix = index(list[1], slot.length);
  const suffix = index(list[2], slot.length - prefix);
  const { node } = parts.text();
  if (typeof node !== "string") throw misfit();
  // Growing at the end, the usual case, must not copy what is there.
  return (prefix === slot.length ? slot : slot.slice(0, prefix)) + node + slot.slice(slot.length - suffix);
}

function editBytes(slot: Slot, list: readonly Structure[], parts: PartSource): BinaryLeaf {
  if (!(slot instanceof BinaryLeaf) || list.length !== 3) throw misfit();
  const old = slot.bytes;
  const prefix = index(list[1], old.length);
  const suffix = index(list[2], old.length - prefix);
  const middle = parts.bytes();
  const result = new Uint8Array(prefix + middle.length + suffix);
  result.set(old.subarray(0, prefix));
  result.set(middle, prefix);
  result.set(old.subarray(old.length - suffix), prefix + middle.length);
  return new BinaryLeaf(result);
}
