import { BinaryLeaf, type StateArray, type StateNode, type StateObject } from "../node.js";
import type { Digest } from "./digest.js";

/** What is known about a container besides its content. */
export interface NodeMeta {
  /** Deterministic estimate of the encoded size. */
  readonly weight: number;
  /** Values in the expanded subtree, itself included. */
  readonly nodes: number;
  /** Levels of containers in it, itself included; never too low. */
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
/** Below this, measuring again is cheaper than remembering. */
const REMEMBERED_WEIGHT = 96;

const metas = new WeakMap<object, NodeMeta>();

/** Weight of an object's key beside its value. */
export const keyWeight = (key: string): number => key.length + 4;

export const isContainer = (node: StateNode): node is Exclude<StateNode, null | boolean | number | string> =>
  typeof node === "object" && node !== null;

/** Weight of any node. */
export function weightOf(node: StateNode): number {
  if (typeof node === "string") return 2 + node.length;
  if (typeof node === "number") return 8;
  if (typeof node === "boolean" || node === null) return 4;
  return metaOf(node).weight;
}

/** The facts about a container: remembered, or measured (and remembered when that pays). */
export function metaOf(node: object): NodeMeta {
  return metas.get(node) ?? measure(node);
}

/** Remembers facts that the caller has just worked out. */
export function remember(node: object, meta: NodeMeta): void {
  if (meta.weight >= REMEMBERED_WEIGHT || meta.leaf) metas.set(node, meta);
}

/** Sums up children; `add` each, then read the result. */
export class Tally {
  weight = 2;
  nodes = 1;
  height = 0;
  leaf = false;

  /** `overhead` is what the parent spends on this child: 1 in an array, {@link keyWeight} in an object. */
  add(child: StateNode, overhead: number): void {
    this.nodes++;
    if (typeof child === "string") this.weight += overhead + 2 + child.length;
    else if (typeof child === "number") this.weight += overhead + 8;
    else if (typeof child === "boolean" || child === null) this.weight += overhead + 4;
    else this.addMeta(metaOf(child), overhead);
  }

  private addMeta(meta: NodeMeta, overhead: number): void {
    this.weight += overhead + meta.weight;
    this.nodes += meta.nodes - 1;
    if (meta.height > this.height) this.height = meta.height;
    if (meta.leaf) this.leaf = true;
  }

  meta(): NodeMeta {
    return {
      weight: this.weight,
      nodes: this.nodes,
      height: this.height + 1,
      leaf: this.leaf,
      hash: undefined,
      groups: undefined,
      former: undefined,
      known: undefined,
    };
  }
}

/** Whether a node is hashed and encoded over its children. Strings never are. */
export const isLarge = (meta: NodeMeta): boolean => meta.leaf || meta.weight > LARGE_WEIGHT;

function measure(node: object): NodeMeta {
  const tally = new Tally();
  if (node instanceof BinaryLeaf) {
    tally.weight = 8 + node.bytes.length;
    tally.leaf = true;
  } else if (Array.isArray(node)) {
    for (let i = 0; i < node.length; i++) tally.add(node[i], 1);
  } else {
    const object = node as StateObject;
    const keys = Object.keys(object);
    for (let i = 0; i < keys.length; i++) tally.add(object[keys[i]!]!, keyWeight(keys[i]!));
  }
  const meta = tally.meta();
  remember(node, meta);
  return meta;
}

/**
 * The facts about an array that shares its first `prefix` and last `suffix` elements with `former`: worked out from the
 * difference, where what went away cannot have decided the height or the leaf flag.
 */
export function tallyEdited(node: StateArray, former: StateArray, prefix: number, suffix: number): NodeMeta {
  const before = metaOf(former);
  const removed = sumUp(former, prefix, former.length - suffix);
  if (removed.leaf || (removed.height > 0 && removed.height + 1 >= before.height) || prefix + suffix < 16) {
    return sumUp(node, 0, node.length).meta();
  }
  const tally = sumUp(node, prefix, node.length - suffix);
  tally.weight += before.weight - removed.weight;
  tally.nodes += before.nodes - removed.nodes;
  tally.height = Math.max(tally.height, before.height - 1);
  tally.leaf ||= before.leaf;
  return tally.meta();
}

function sumUp(node: StateArray, start: number, end: number): Tally {
  const tally = new Tally();
  for (let i = start; i < end; i++) tally.add(node[i]!, 1);
  return tally;
}
