import { BinaryLeaf, type StateArray, type StateNode, type StateObject } from "../node.js";
import type { Digest } from "./digest.js";
import { hasOwn } from "./key-escape.js";

/** What is known about a container besides its content. */
export interface NodeMeta {
  /** Deterministic estimate of the encoded size. */
  readonly weight: number;
  /** Values in the expanded subtree, itself included. */
  readonly nodes: number;
  /** Levels of containers in it, itself included; never too low. A binary leaf is a payload, as a text would be: no level. */
  readonly height: number;
  /** A binary leaf is in it. */
  readonly leaf: boolean;
  /** Merkle hash, once it was needed. */
  hash: Digest | undefined;
  /** The groups that a large container's hash was taken over: `u32 count, hash` each. Moves on to the next version. */
  groups: Buffer | undefined;
  /** The version before this one, while its groups can still spare work. */
  former: object | undefined;
  /** Groups whose hashes are known from the record that it was read from, until its own hash was taken. */
  known: readonly KnownGroup[] | undefined;
}

/** A group of children whose hash is known: `count` from `start` on. */
export interface KnownGroup {
  readonly start: number;
  readonly count: number;
  readonly digest: Digest;
}

/** Containers above this weight are hashed and encoded over their children. */
export const LARGE_WEIGHT = 8_192;
/** Children from this weight on are hashed alone. */
export const HEAVY_WEIGHT = 512;
/** A run of lighter children ends when it weighs this much. */
export const RUN_WEIGHT = 4_096;
const metas = new WeakMap<object, NodeMeta>();

/** Weight of an object's key beside its value. */
export const keyWeight = (key: string): number => key.length + 4;

export const isContainer = (node: StateNode): node is Exclude<StateNode, null | boolean | number | string> =>
  typeof node === "object" && node !== null;

/** Weight of any node. */
export function weightOf(node: StateNode): number {
  return typeof node === "object" && node !== null ? visit(node) : scalarWeight(node);
}

function scalarWeight(node: null | boolean | number | string): number {
  if (typeof node === "string") return 2 + node.length;
  return typeof node === "number" ? 8 : 4;
}

/**
 * The facts about a container: remembered, or measured. Only large containers are remembered at once, and others when their
 * hash is taken ({@link keepHash}): a weak map of every node would cost more than walking the small ones again.
 */
export function metaOf(node: object): NodeMeta {
  const known = metas.get(node);
  if (known !== undefined) return known;
  const weight = visit(node);
  return metas.get(node) ?? newMeta(weight, lastNodes, lastHeight, lastLeaf);
}

/** Levels of containers in a container. */
export function heightOf(node: object): number {
  visit(node);
  return lastHeight;
}

/** Remembers facts for as long as the node lives. */
export function remember(node: object, meta: NodeMeta): void {
  metas.set(node, meta);
}

/** Remembers a node's hash. */
export function keepHash(node: object, meta: NodeMeta, hash: Digest): void {
  meta.hash = hash;
  metas.set(node, meta);
}

function newMeta(weight: number, nodes: number, height: number, leaf: boolean): NodeMeta {
  return {
    weight,
    nodes,
    height,
    leaf,
    hash: undefined,
    groups: undefined,
    former: undefined,
    known: undefined,
  };
}

// What `visit` found besides the weight it returns: a result object for every node would cost more than the visit.
let lastNodes = 0;
let lastHeight = 0;
let lastLeaf = false;

/** Measures a container; remembers the large ones. */
function visit(node: object): number {
  const known = metas.get(node);
  if (known !== undefined) {
    lastNodes = known.nodes;
    lastHeight = known.height;
    lastLeaf = known.leaf;
    return known.weight;
  }
  if (node instanceof BinaryLeaf) {
    lastNodes = 1;
    lastHeight = 0;
    lastLeaf = true;
    return 8 + node.bytes.length;
  }
  const weight = Array.isArray(node) ? visitArray(node) : visitObject(node as StateObject);
  if (lastLeaf || weight > LARGE_WEIGHT) metas.set(node, newMeta(weight, lastNodes, lastHeight, lastLeaf));
  return weight;
}

function visitArray(node: StateArray): number {
  let weight = 2 + node.length;
  let nodes = 1 + node.length;
  let height = 0;
  let leaf = false;
  for (let i = 0; i < node.length; i++) {
    const child = node[i]!;
    if (typeof child === "object" && child !== null) {
      weight += visit(child);
      nodes += lastNodes - 1;
      if (lastHeight > height) height = lastHeight;
      if (lastLeaf) leaf = true;
    } else {
      weight += scalarWeight(child);
    }
  }
  lastNodes = nodes;
  lastHeight = height + 1;
  lastLeaf = leaf;
  return weight;
}

function visitObject(node: StateObject): number {
  let weight = 2;
  let nodes = 1;
  let height = 0;
  let leaf = false;
  for (const key in node) {
    if (!hasOwn.call(node, key)) continue;
    const child = node[key]!;
    weight += keyWeight(key);
    nodes++;
    if (typeof child === "object" && child !== null) {
      weight += visit(child);
      nodes += lastNodes - 1;
      if (lastHeight > height) height = lastHeight;
      if (lastLeaf) leaf = true;
    } else {
      weight += scalarWeight(child);
    }
  }
  lastNodes = nodes;
  lastHeight = height + 1;
  lastLeaf = leaf;
  return weight;
}

/** Sums up children; `add` each, then read the result. */
export class Tally {
  weight = 2;
  nodes = 1;
  height = 0;
  leaf = false;

  /** `overhead` is what the parent spends on this child: 1 in an array, {@link keyWeight} in an object. */
  add(child: StateNode, overhead: number): void {
    if (typeof child !== "object" || child === null) {
      this.weight += overhead + scalarWeight(child);
      this.nodes++;
      return;
    }
    this.weight += overhead + visit(child);
    this.nodes += lastNodes;
    if (lastHeight > this.height) this.height = lastHeight;
    if (lastLeaf) this.leaf = true;
  }

  meta(): NodeMeta {
    return newMeta(this.weight, this.nodes, this.height + 1, this.leaf);
  }
}

/** Whether a node is hashed and encoded over its children. Strings never are. */
export const isLarge = (meta: NodeMeta): boolean => meta.leaf || meta.weight > LARGE_WEIGHT;

/** Lets a new version of a container take over the hash groups of its former one. */
export function succeed(node: object, former: object): void {
  if (metas.get(former)?.groups === undefined) return;
  const meta = metaOf(node);
  meta.former = former;
  if (isLarge(meta)) metas.set(node, meta);
}

/**
 * Measures an array that shares its first `prefix` and last `suffix` elements with a large `former`, by the difference;
 * anew where what went away may have decided the height or the leaf flag.
 */
export function measureEdited(node: StateArray, former: StateArray, prefix: number, suffix: number): void {
  const before = metas.get(former);
  if (before !== undefined && prefix + suffix > 16) {
    const removed = sumUp(former, prefix, former.length - suffix);
    if (!removed.leaf && (removed.height === 0 || removed.height + 1 < before.height)) {
      const tally = sumUp(node, prefix, node.length - suffix);
      tally.weight += before.weight - removed.weight;
      tally.nodes += before.nodes - removed.nodes;
      tally.height = Math.max(tally.height, before.height - 1);
      tally.leaf ||= before.leaf;
      const meta = tally.meta();
      if (isLarge(meta)) metas.set(node, meta);
    }
  }
  succeed(node, former);
}

function sumUp(node: StateArray, start: number, end: number): Tally {
  const tally = new Tally();
  for (let i = start; i < end; i++) tally.add(node[i]!, 1);
  return tally;
}
