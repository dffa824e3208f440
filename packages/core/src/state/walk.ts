import { BinaryLeaf, type StateArray, type StateNode, type StateObject } from "../node.js";
import { counterparts, equalPrefix, equalSuffix, matchMiddle } from "./align.js";
import type { CodecRegistry } from "./class-codec.js";
import type { Differences } from "./differences.js";
import { escapeKey, setOwn } from "./key-escape.js";
import { hasKeys, hidesNothing, MANY_KEYS, shareKeys } from "./key-list.js";
import type { ResolvedLimits } from "./limits.js";
import { heightOf, isContainer, measureEdited, metaOf, succeed } from "./node-meta.js";
import { plainness } from "./plainness.js";
import { refuse } from "./refused.js";
import { richNode } from "./rich-node.js";
import { hasOnlyElements, type SameContext, same } from "./same.js";
import { hasTag, numberNode, tagged, UNDEFINED_NODE } from "./tagged.js";
import { hasJsonText, LENGTH_SURE_TO_FIT } from "./text-length.js";

/**
 * The one walk that turns a live value into normal form. Whatever equals the node at the same place of the previous
 * state is that node; new nodes are built and frozen only where something changed.
 */
export class Walk implements SameContext {
  readonly codecs: CodecRegistry;
  readonly normal: boolean;
  readonly limits: ResolvedLimits;
  differences: Differences | undefined;
  /** Live containers seen: their node, or null while it is being built (meeting it again then is a cycle). */
  private readonly seen = new Map<object, StateNode | null>();
  private built = 0;

  constructor(limits: ResolvedLimits, codecs: CodecRegistry, normal: boolean) {
    this.limits = limits;
    this.codecs = codecs;
    this.normal = normal;
  }

  /** The whole state. */
  root(live: unknown, previous: StateNode | undefined): StateNode {
    const root = this.node(live, previous, 0);
    if (isContainer(root)) {
      const { nodes, weight, height } = metaOf(root);
      const { maxNodes, maxBytes, maxDepth } = this.limits;
      // The height again: what was found equal to the previous state was not walked by depth, and scalars have tags.
      if (nodes > maxNodes || weight > maxBytes || height > maxDepth) refuse();
    }
    return root;
  }

  /** The node of `live`, which stands below `depth` containers; `previous` is what stood there before. */
  node(live: unknown, previous: StateNode | undefined, depth: number): StateNode {
    switch (typeof live) {
      case "string":
        if (live.length + 2 > this.limits.maxBytes) refuse();
        if (live.length > LENGTH_SURE_TO_FIT && live !== previous && !hasJsonText(live)) refuse();
        return live;
      case "boolean":
        return live;
      case "number":
        return previous !== undefined && same(live, previous, this) ? previous : numberNode(live);
      case "object":
        return live === null ? null : this.container(live, previous, depth);
      case "undefined":
        return previous !== undefined && hasTag(previous, "undefined") ? previous : UNDEFINED_NODE;
      case "bigint":
        return previous !== undefined && same(live, previous, this)
          ? previous
          : tagged("bigint", String(live));
      default:
        return refuse();
    }
  }

  private container(live: object, previous: StateNode | undefined, depth: number): StateNode {
    const known = this.seen.size === 0 ? undefined : this.seen.get(live);
    if (known !== undefined) return this.again(live, known, previous, depth);
    if (depth >= this.limits.maxDepth) refuse();
    const node = this.build(live, previous, depth);
    if (node !== previous) this.seen.set(live, node);
    return node;
  }

  /** A shared reference: the same node, where its depth allows. */
  private again(
    live: object,
    known: StateNode | null,
    previous: StateNode | undefined,
    depth: number,
  ): StateNode {
    if (known === null) refuse();
    if (previous !== undefined && previous !== known && same(live, previous, this)) return previous;
    if (isContainer(known) && depth + heightOf(known) > this.limits.maxDepth) refuse();
    return known;
  }

  private build(live: object, previous: StateNode | undefined, depth: number): StateNode {
    switch (plainness(live)) {
      case "plain":
        return this.object(live as Record<string, unknown>, objectBefore(previous), depth);
      case "array":
        return this.array(live as unknown[], previous, depth);
      case "null": {
        const before = previous !== undefined && hasTag(previous, "null") ? previous : undefined;
        const v = this.object(live as Record<string, unknown>, objectBefore(before?.v), depth + 1);
        return before !== undefined && before.v === v ? before : tagged("null", v);
      }
      default: {
        if (this.normal && live instanceof BinaryLeaf)
          return same(live, previous ?? null, this) ? previous! : live;
        // Recursion could not end where nothing stood before, so the cycle mark is needed only then.
        this.seen.set(live, null);
        const node = richNode(live, previous, depth, this);
        this.seen.set(live, node);
        return node;
      }
    }
  }

  /** Plain data. Where the keys are those of the previous node, nothing is built until a value differs. */
  private object(
    live: Record<string, unknown>,
    previous: StateObject | undefined,
    depth: number,
  ): StateObject {
    const names = Object.getOwnPropertyNames(live);
    if (depth >= this.limits.maxDepth || !hidesNothing(live, names.length)) refuse();
    const keys = this.normal ? names : storedKeys(names);
    if (previous === undefined || !hasKeys(previous, keys)) {
      return this.newObject(live, names, keys, previous, depth);
    }
    let children: StateNode[] | undefined;
    for (let i = 0; i < names.length; i++) {
      const before = previous[keys[i]!]!;
      const child = this.node(live[names[i]!], before, depth + 1);
      if (children !== undefined) {
        children.push(child);
      } else if (child !== before) {
        children = [];
        for (let k = 0; k < i; k++) children.push(previous[keys[k]!]!);
        children.push(child);
      }
    }
    if (children === undefined) return previous;
    for (let i = 0; i < names.length; i++) dataValue(live, names[i]!);
    const node = this.frozenObject(keys, children, previous);
    if (keys.length > MANY_KEYS) shareKeys(node, previous);
    return node;
  }

  private newObject(
    live: Record<string, unknown>,
    names: readonly string[],
    keys: readonly string[],
    previous: StateObject | undefined,
    depth: number,
  ): StateObject {
    this.seen.set(live, null);
    const children: StateNode[] = [];
    for (let i = 0; i < names.length; i++) {
      const key = keys[i]!;
      const before = previous !== undefined && Object.hasOwn(previous, key) ? previous[key] : undefined;
      children.push(this.node(dataValue(live, names[i]!), before, depth + 1));
    }
    return this.frozenObject(keys, children, previous);
  }

  private frozenObject(
    keys: readonly string[],
    children: readonly StateNode[],
    previous: StateObject | undefined,
  ): StateObject {
    const node: Record<string, StateNode> = {};
    for (let i = 0; i < keys.length; i++) setOwn(node, keys[i]!, children[i]);
    Object.freeze(node);
    this.count(keys.length);
    if (previous !== undefined) succeed(node, previous);
    return node;
  }

  /** An array, aligned by content with the one before. */
  array(live: readonly unknown[], previous: StateNode | undefined, depth: number): StateArray {
    if (live.length > this.limits.maxNodes || depth >= this.limits.maxDepth) refuse();
    const before = Array.isArray(previous) ? (previous as StateArray) : undefined;
    if (before === undefined ? Reflect.ownKeys(live).length !== live.length + 1 : !hasOnlyElements(live))
      refuse();
    const shorter = before === undefined ? 0 : Math.min(live.length, before.length);
    const prefix = before === undefined ? 0 : equalPrefix(live, before, shorter, this);
    if (before !== undefined && prefix === before.length && prefix === live.length) return before;
    this.seen.set(live, null);
    if (before === undefined) return this.newArray(live, depth);
    const suffix = equalSuffix(live, before, shorter - prefix, this);
    // Spreading a frozen array is far faster than slicing it.
    const node = [...before];
    node.length = prefix;
    this.middle(node, live, before, prefix, suffix, depth);
    for (let i = before.length - suffix; i < before.length; i++) node.push(before[i]!);
    Object.freeze(node);
    this.count(live.length - prefix - suffix);
    measureEdited(node, before, prefix, suffix);
    return node;
  }

  private newArray(live: readonly unknown[], depth: number): StateArray {
    const node: StateNode[] = [];
    for (let i = 0; i < live.length; i++) node.push(this.node(dataValue(live, i), undefined, depth + 1));
    this.count(live.length);
    return Object.freeze(node);
  }

  private middle(
    node: StateNode[],
    live: readonly unknown[],
    before: StateArray,
    prefix: number,
    suffix: number,
    depth: number,
  ): void {
    const liveEnd = live.length - suffix;
    const oldEnd = before.length - suffix;
    const single = liveEnd - prefix === 1 && oldEnd - prefix === 1;
    const trivial = single || liveEnd === prefix || oldEnd === prefix;
    const matches = trivial ? undefined : matchMiddle(live, before, prefix, liveEnd, oldEnd, this);
    const pairs = matches === undefined ? undefined : counterparts(matches, prefix, oldEnd);
    for (let i = prefix; i < liveEnd; i++) {
      const match = matches === undefined ? -1 : matches[i - prefix]!;
      if (match >= 0) {
        node.push(before[match]!);
      } else {
        const pair = single ? i : (pairs?.[i - prefix] ?? -1);
        const counterpart = pair < 0 ? undefined : before[pair];
        node.push(this.node(dataValue(live, i), counterpart, depth + 1));
      }
    }
  }

  /** Bounds what is built in this walk; the expanded size is measured at its end. */
  private count(children: number): void {
    this.built += children;
    if (this.built > this.limits.maxNodes) refuse();
  }
}

function objectBefore(previous: StateNode | undefined): StateObject | undefined {
  if (typeof previous !== "object" || previous === null || Array.isArray(previous)) return undefined;
  return previous instanceof BinaryLeaf ? undefined : (previous as StateObject);
}

/** The value of an enumerable data property; anything else is refused before a getter could run. */
function dataValue(live: object, key: string | number): unknown {
  const descriptor = Object.getOwnPropertyDescriptor(live, key);
  if (descriptor === undefined || !descriptor.enumerable || !("value" in descriptor)) return refuse();
  return descriptor.value;
}

/** Keys as they are stored; the same list where none looks like the tag. */
function storedKeys(names: string[]): string[] {
  for (let i = 0; i < names.length; i++) {
    if (names[i]!.charCodeAt(0) === 36 && escapeKey(names[i]!) !== names[i]) return names.map(escapeKey);
  }
  return names;
}
