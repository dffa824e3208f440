import { BinaryLeaf, type StateNode } from "../node.js";
import { tooDeep } from "../state/adopt.js";
import { corrupt } from "../state/corrupt.js";
import type { ResolvedLimits } from "../state/limits.js";
import { ArrayBranch, ObjectBranch, type Slot } from "./branch.js";
import { BINARY, LARGE_ARRAY, LARGE_OBJECT, type Structure } from "./format.js";
import { type PartSource, RunChild, type TextPart, wrongList } from "./part.js";

/** Reads the structure of a new node. */
export function buildNode(
  structure: Structure,
  parts: PartSource,
  limits: ResolvedLimits,
  depth: number,
): Slot {
  if (structure === 0) return parts.text().node;
  if (!Array.isArray(structure)) throw badStructure();
  const list = structure as readonly Structure[];
  // A leaf is no level of its own: a save counts its tagged node only.
  if (depth >= limits.maxDepth && list[0] !== BINARY) throw tooDeep(limits);
  switch (list[0]) {
    case BINARY:
      return new BinaryLeaf(parts.bytes());
    case LARGE_ARRAY: {
      const branch = new ArrayBranch([], []);
      buildItems(list, 1, branch, parts, limits, depth + 1);
      return branch;
    }
    case LARGE_OBJECT:
      return buildObject(list, parts, limits, depth + 1);
    default:
      throw badStructure();
  }
}

function buildObject(
  list: readonly Structure[],
  parts: PartSource,
  limits: ResolvedLimits,
  depth: number,
): Slot {
  const keys = stringList(parts.list());
  const values = new ArrayBranch([], []);
  buildItems(list, 1, values, parts, limits, depth);
  const branch = new ObjectBranch(new Map());
  setEntries(branch, keys, values);
  if (branch.entries.size !== keys.length) throw corrupt("A record has an object with a key twice.");
  return branch;
}

/** Sets keys to values, with what is known about their groups. */
export function setEntries(branch: ObjectBranch, keys: readonly string[], values: ArrayBranch): void {
  if (keys.length !== values.items.length) throw corrupt("A record has not one value for each key.");
  for (let i = 0; i < keys.length; i++) {
    branch.forget(keys[i]!);
    branch.entries.set(keys[i]!, values.items[i]!);
  }
  for (const hint of values.hints) branch.hint(keys[hint.start]!, hint);
}

/** Reads items from `list[from]` on and appends them, with the hashes of their groups. */
export function buildItems(
  list: readonly Structure[],
  from: number,
  branch: ArrayBranch,
  parts: PartSource,
  limits: ResolvedLimits,
  depth: number,
): void {
  for (let i = from; i < list.length; i++) buildItem(list[i]!, branch, parts, limits, depth);
}

export function buildItem(
  item: Structure,
  branch: ArrayBranch,
  parts: PartSource,
  limits: ResolvedLimits,
  depth: number,
): void {
  const { items } = branch;
  if (typeof item !== "number") {
    items.push(buildNode(item, parts, limits, depth));
  } else if (item > 0) {
    buildRun(item, branch, parts.text());
  } else {
    for (let i = item; i < 0; i++) {
      const part = parts.text();
      items.push(part.digest === undefined ? part.node : part);
    }
    if (!Number.isInteger(item) || item === 0) throw badStructure();
  }
}

/** Light children that came in one piece; a short piece is parsed at once. */
function buildRun(count: number, { items, hints }: ArrayBranch, part: TextPart): void {
  // A text of many children is no shorter than their number; one that was parsed early is counted as what it holds.
  const isParsed = part.unparsedBytes === 0;
  if (!Number.isInteger(count) || (!isParsed && count > part.unparsedBytes)) throw badStructure();
  if (part.digest !== undefined && (!isParsed || isListOf(part.node, count))) {
    hints.push({ start: items.length, count, digest: part.digest });
    for (let i = 0; i < count; i++) items.push(new RunChild(part, i));
    return;
  }
  const { node } = part;
  if (!Array.isArray(node) || node.length !== count) throw wrongList();
  for (let i = 0; i < count; i++) items.push(node[i]!);
}

function isListOf(node: StateNode, count: number): boolean {
  return Array.isArray(node) && node.length === count;
}

/** Checks that a list holds texts only. */
export function stringList(list: unknown): readonly string[] {
  if (!Array.isArray(list) || !list.every((item) => typeof item === "string")) throw badStructure();
  return list as readonly string[];
}

export function badStructure(): Error {
  return corrupt("A record's structure is not one that this library writes.");
}
