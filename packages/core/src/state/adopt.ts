import { BinaryLeaf, type StateNode, type StateObject, TAG } from "../node.js";
import { isValidPayload } from "./check-tag.js";
import { corrupt, overLimit } from "./corrupt.js";
import { hasOwn } from "./key-escape.js";
import type { ResolvedLimits } from "./limits.js";
import { isContainer, metaOf, type NodeMeta } from "./node-meta.js";

const DOLLAR = 36;

/**
 * Makes normal form out of parsed JSON that nobody else holds: checks every tag, freezes in place, and bounds it.
 * Everything it reads is hostile.
 */
export function adopt(value: unknown, limits: ResolvedLimits): StateNode {
  const node = adoptNode(value, limits, 0);
  if (typeof node === "string" && node.length > limits.maxBytes) throw tooLarge(limits);
  if (isContainer(node)) bound(metaOf(node), limits);
  return node;
}

/** `depth` containers stand above the value. */
function adoptNode(value: unknown, limits: ResolvedLimits, depth: number): StateNode {
  if (typeof value === "string" || typeof value === "boolean" || value === null) return value;
  if (typeof value === "number") {
    if (value - value !== 0 || Object.is(value, -0))
      throw corrupt("A number stands where only its tag may say it.");
    return value;
  }
  if (typeof value !== "object") throw corrupt(`A ${typeof value} is no part of a stored state.`);
  if (depth >= limits.maxDepth) throw tooDeep(limits);
  if (!Array.isArray(value)) return adoptObject(value as Record<string, unknown>, limits, depth);
  for (let i = 0; i < value.length; i++) {
    if (typeof value[i] !== "string") adoptNode(value[i], limits, depth + 1);
  }
  return Object.freeze(value) as StateNode;
}

function adoptObject(value: Record<string, unknown>, limits: ResolvedLimits, depth: number): StateNode {
  if (Object.getPrototypeOf(value) !== Object.prototype) throw ofClass();
  let isTagged = false;
  let hasLeaf = false;
  for (const key in value) {
    if (!hasOwn.call(value, key)) continue;
    const child = value[key];
    if (child instanceof BinaryLeaf) hasLeaf = true;
    else if (typeof child !== "string") adoptNode(child, limits, depth + 1);
    if (key.charCodeAt(0) === DOLLAR && key === TAG) isTagged = true;
  }
  if (isTagged) checkTagged(value as StateObject, Object.keys(value));
  else if (hasLeaf) throw corrupt("Binary stands in a stored state without its tag.");
  return Object.freeze(value) as StateNode;
}

export const ofClass = (): Error => corrupt("An object of a class stands in a stored state.");

/** Bounds the expanded size of a container. */
export function bound(meta: NodeMeta, limits: ResolvedLimits): void {
  if (meta.nodes > limits.maxNodes) throw tooMany(limits);
  if (meta.weight > limits.maxBytes) throw tooLarge(limits);
}

export const tooMany = (limits: ResolvedLimits): Error =>
  overLimit(`A stored state has more than ${limits.maxNodes} values.`, { maxNodes: limits.maxNodes });

export const tooLarge = (limits: ResolvedLimits): Error =>
  overLimit(`A stored state is larger than ${limits.maxBytes} bytes.`, { maxBytes: limits.maxBytes });

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
  if (!isValidPayload(tag, node.v!)) {
    throw corrupt(`A node tagged ${JSON.stringify(tag.slice(0, 64))} has no valid content.`, {
      tag: tag.slice(0, 64),
    });
  }
}
