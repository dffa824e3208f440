import { BinaryLeaf, INLINE_BINARY_MAX_BYTES, type StateNode, type StateObject, TAG } from "../node.js";
import { decodeBase64, isBinaryTag } from "./binary.js";
import { isValidPayload } from "./check-tag.js";
import { corrupt, overLimit } from "./corrupt.js";
import { setOwn } from "./key-escape.js";
import type { ResolvedLimits } from "./limits.js";
import { keyWeight, type NodeMeta, remember, Tally } from "./node-meta.js";

const DOLLAR = 36;

/**
 * Makes normal form out of parsed JSON that nobody else holds: checks every tag, freezes in place, measures and
 * remembers. Everything it reads is hostile.
 */
export class Adoption {
  private nodes = 0;

  constructor(private readonly limits: ResolvedLimits) {}

  /** `depth` containers stand above the value. */
  node(value: unknown, depth: number): StateNode {
    if (typeof value === "string" || typeof value === "boolean" || value === null) return value;
    if (typeof value === "number") {
      if (value - value !== 0 || Object.is(value, -0))
        throw corrupt("A number stands where only its tag may say it.");
      return value;
    }
    if (typeof value !== "object") throw corrupt(`A ${typeof value} is no part of a stored state.`);
    if (depth >= this.limits.maxDepth) throw tooDeep(this.limits);
    return Array.isArray(value)
      ? this.array(value, depth)
      : this.object(value as Record<string, unknown>, depth);
  }

  private array(value: unknown[], depth: number): StateNode {
    const tally = new Tally();
    for (let i = 0; i < value.length; i++) {
      const child = value[i];
      if (typeof child !== "string") this.node(child, depth + 1);
      tally.add(child as StateNode, 1);
    }
    return this.settle(value as StateNode[], tally);
  }

  private object(value: Record<string, unknown>, depth: number): StateNode {
    if (Object.getPrototypeOf(value) !== Object.prototype)
      throw corrupt("An object of a class stands in a stored state.");
    const keys = Object.keys(value);
    const tally = new Tally();
    let isTagged = false;
    let hasLeaf = false;
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i]!;
      const child = value[key];
      if (child instanceof BinaryLeaf) hasLeaf = true;
      else if (typeof child !== "string") this.node(child, depth + 1);
      tally.add(child as StateNode, keyWeight(key));
      if (key.charCodeAt(0) === DOLLAR && key === TAG) isTagged = true;
    }
    if (isTagged) checkTagged(value as StateObject, keys);
    else if (hasLeaf) throw corrupt("Binary stands in a stored state without its tag.");
    return this.settle(value as StateObject, tally);
  }

  private settle<T extends StateNode & object>(node: T, tally: Tally): T {
    const meta = tally.meta();
    this.bound(meta);
    Object.freeze(node);
    remember(node, meta);
    return node;
  }

  /** Bounds one container, and all that was adopted. */
  bound(meta: NodeMeta): void {
    const { maxNodes, maxBytes } = this.limits;
    if (meta.nodes > maxNodes || ++this.nodes > maxNodes)
      throw overLimit(`A stored state has more than ${maxNodes} values.`);
    if (meta.weight > maxBytes) throw overLimit(`A stored state is larger than ${maxBytes} bytes.`);
  }
}

export function tooDeep(limits: ResolvedLimits): Error {
  return overLimit(`A stored state is nested deeper than ${limits.maxDepth} levels.`, {
    maxDepth: limits.maxDepth,
  });
}

/** Checks that an object which has the bare tag key is a tagged node. Its children were checked before. */
export function checkTagged(node: StateObject, keys: readonly string[]): void {
  const tag = node[TAG];
  const isUndefined = tag === "undefined" && keys.length === 1;
  if (isUndefined) return;
  if (typeof tag !== "string" || keys.length !== 2 || keys[0] !== TAG || keys[1] !== "v") {
    throw corrupt("A tagged node has not the form { $ckpt, v }.", { keys: keys.slice(0, 8) });
  }
  if (!isValidPayload(tag, node["v"]!)) {
    throw corrupt(`A node tagged ${JSON.stringify(tag.slice(0, 64))} has no valid content.`, {
      tag: tag.slice(0, 64),
    });
  }
}

/**
 * A private copy of tagged JSON as {@link Adoption} takes it: long base64 of a binary tag becomes a leaf. The copy is
 * what is adopted, so the caller's value stays mutable.
 */
export function copyTaggedJson(json: unknown, limits: ResolvedLimits, depth = 0): unknown {
  if (typeof json !== "object" || json === null) return json;
  if (depth >= limits.maxDepth) throw tooDeep(limits);
  if (Array.isArray(json)) return Array.from(json, (item) => copyTaggedJson(item, limits, depth + 1));
  const source = json as Record<string, unknown>;
  const tag = Object.hasOwn(source, TAG) ? source[TAG] : undefined;
  const binary = typeof tag === "string" && isBinaryTag(tag);
  const copy: Record<string, unknown> = {};
  for (const key of Object.keys(source)) {
    const child = source[key];
    setOwn(copy, key, binary && key === "v" ? binaryChild(child) : copyTaggedJson(child, limits, depth + 1));
  }
  return copy;
}

function binaryChild(text: unknown): unknown {
  if (typeof text !== "string") return null;
  const bytes = decodeBase64(text);
  return bytes !== undefined && bytes.length > INLINE_BINARY_MAX_BYTES
    ? new BinaryLeaf(new Uint8Array(bytes))
    : text;
}
