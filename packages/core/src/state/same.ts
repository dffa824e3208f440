import { BinaryLeaf, type StateArray, type StateNode, type StateObject, TAG } from "../node.js";
import { binaryTag, bytesOf, hasAddedProperties, samePayload } from "./binary.js";
import { builtInTag, ownKeyCount } from "./built-in.js";
import { type CodecRegistry, codecFor } from "./class-codec.js";
import { Differences } from "./differences.js";
import { errorParts, errorType } from "./error-values.js";
import { escapeKey } from "./key-escape.js";
import { hidesNothing, keysOf, MANY_KEYS } from "./key-list.js";
import { plainness } from "./plainness.js";
import { hasTag, SPECIAL_NUMBERS } from "./tagged.js";

const DOLLAR = 36;
const ZERO = 48;

/** What a comparison needs to know. */
export interface SameContext {
  readonly codecs: CodecRegistry;
  /** The live side is in normal form already: keys are stored keys, leaves may stand in it. */
  readonly normal: boolean;
  /** What was found to differ so far; undefined while nothing was. */
  differences: Differences | undefined;
}

/**
 * Whether the normal form of a live value equals an existing node. Builds nothing and keeps no path: this is what an
 * unchanged state costs. Recursion is bounded by the node's height.
 */
export function same(live: unknown, node: StateNode, context: SameContext): boolean {
  switch (typeof live) {
    case "string":
    case "boolean":
      return live === node;
    case "number":
      return sameNumber(live, node);
    case "object":
      if (live === null || typeof node !== "object" || node === null) return live === node;
      return sameObject(live, node, context);
    case "undefined":
      return hasTag(node, "undefined");
    case "bigint":
      return hasTag(node, "bigint") && node.v === String(live);
    default:
      return false;
  }
}

/** As {@link same}, for what stands in an array, Map or Set: a difference is remembered, because it is asked for again. */
export function sameElement(live: unknown, node: StateNode, context: SameContext): boolean {
  if (typeof live !== "object" || live === null || typeof node !== "object") return same(live, node, context);
  if (node === null || context.differences?.has(live, node)) return false;
  if (sameObject(live, node, context)) return true;
  context.differences ??= new Differences();
  context.differences.add(live, node);
  return false;
}

function sameNumber(live: number, node: StateNode): boolean {
  if (live === node) return live !== 0 || 1 / live > 0;
  if (typeof node !== "object" || !hasTag(node, "number")) return false;
  return Object.is(SPECIAL_NUMBERS.get(node.v as string), live);
}

function sameObject(live: object, node: object, context: SameContext): boolean {
  const proto: unknown = Object.getPrototypeOf(live);
  if (proto === Object.prototype) {
    return !Array.isArray(node) && samePlain(live as Record<string, unknown>, node as StateObject, context);
  }
  if (proto === Array.prototype && Array.isArray(live))
    return Array.isArray(node) && sameArray(live, node, context);
  switch (plainness(live)) {
    case "array":
      return Array.isArray(node) && sameArray(live as unknown[], node, context);
    case "plain":
      return !Array.isArray(node) && samePlain(live as Record<string, unknown>, node as StateObject, context);
    case "null": {
      const { v } = node as StateObject;
      return (
        hasTag(node as StateObject, "null") &&
        samePlain(live as Record<string, unknown>, v as StateObject, context)
      );
    }
    default:
      return sameRich(live, node as StateObject, context);
  }
}

function samePlain(live: Record<string, unknown>, node: StateObject, context: SameContext): boolean {
  // Names, not keys: a property made non-enumerable, or a new one, must not slip through.
  const names = Object.getOwnPropertyNames(live);
  if (names.length > MANY_KEYS) return sameListed(live, names, node, context);
  let i = 0;
  // Frozen nodes have own, enumerable, named keys only, which this form of loop reads without a list of them.
  for (const key in node) {
    if (names[i++] !== key || key.charCodeAt(0) === DOLLAR) return sameListed(live, names, node, context);
    const child = live[key];
    const before = node[key]!;
    if (!isOneScalar(child, before) && !same(child, before, context)) return false;
  }
  return i === names.length && hidesNothing(live, i);
}

/** As {@link samePlain}, for objects with many keys, or with one that may be stored under another name. */
function sameListed(
  live: Record<string, unknown>,
  names: readonly string[],
  node: StateObject,
  context: SameContext,
): boolean {
  const keys = keysOf(node);
  if (names.length !== keys.length) return false;
  for (let i = 0; i < names.length; i++) {
    if ((context.normal ? names[i] : escapeKey(names[i]!)) !== keys[i]) return false;
  }
  for (let i = 0; i < names.length; i++) {
    const child = live[names[i]!];
    const before = node[keys[i]!]!;
    if (!isOneScalar(child, before) && !same(child, before, context)) return false;
  }
  return hidesNothing(live, names.length);
}

/** What most of a state is, told before a call is made for it. A zero has a sign that this does not see. */
const isOneScalar = (live: unknown, node: StateNode): boolean =>
  live === node && live !== 0 && (typeof live !== "object" || live === null);

function sameArray(live: readonly unknown[], node: StateArray, context: SameContext): boolean {
  const count = live.length;
  if (count !== node.length) return false;
  for (let i = 0; i < count; i++) {
    const child = live[i];
    const before = node[i]!;
    if (!isOneScalar(child, before) && !sameElement(child, before, context)) return false;
  }
  return hasOnlyElements(live);
}

/** Whether an array has no holes, no symbols and no enumerable properties besides its elements, all of them enumerable. */
export function hasOnlyElements(live: readonly unknown[]): boolean {
  const { length } = live;
  const keys = Object.keys(live);
  // Indexes come first, in order: where the last of so many keys is the last index, all are indexes.
  if (keys.length !== length || (length > 0 && !isIndex(keys[length - 1]!, length - 1))) return false;
  return Object.getOwnPropertySymbols(live).length === 0;
}

/** Whether a key is that index, without making a text of the index. */
function isIndex(key: string, index: number): boolean {
  let value = 0;
  for (let i = 0; i < key.length; i++) {
    const digit = key.charCodeAt(i) - ZERO;
    if (digit < 0 || digit > 9) return false;
    value = value * 10 + digit;
  }
  return value === index && (key.length === 1 || key.charCodeAt(0) > ZERO);
}

function sameRich(live: object, node: StateObject, context: SameContext): boolean {
  if (live instanceof BinaryLeaf) {
    return context.normal && node instanceof BinaryLeaf && samePayload(live.bytes, node);
  }
  const codec = codecFor(live, context.codecs);
  const v = node.v;
  if (v === undefined) return false;
  if (codec !== undefined) {
    if (!hasTag(node, "codec") || !Array.isArray(v) || v[0] !== codec.name) return false;
    const plain =
      context.differences === undefined ? codec.encode(live) : context.differences.plainOf(live, codec);
    if (same(plain, v[1]!, context)) return true;
    context.differences ??= new Differences();
    context.differences.keepPlain(live, plain);
    return false;
  }
  const binary = binaryTag(live);
  if (binary !== undefined) {
    return (
      node[TAG] === binary &&
      samePayload(bytesOf(live), v) &&
      Object.getOwnPropertySymbols(live).length === 0 &&
      !hasAddedProperties(live)
    );
  }
  const type = errorType(live);
  if (type !== undefined) return hasTag(node, "Error") && sameError(live, type, v as StateObject, context);
  return sameBuiltIn(live, node, v, context);
}

function sameBuiltIn(live: object, node: StateObject, v: StateNode, context: SameContext): boolean {
  const tag = builtInTag(live);
  if (tag === undefined || node[TAG] !== tag || Reflect.ownKeys(live).length > ownKeyCount(tag)) return false;
  if (tag === "Map") return Array.isArray(v) && sameMap(live as Map<unknown, unknown>, v, context);
  if (tag === "Set") return Array.isArray(v) && sameSet(live as Set<unknown>, v, context);
  if (tag === "URL") return (live as URL).href === v;
  if (tag === "RegExp") {
    const { source, flags, lastIndex } = live as RegExp;
    return Array.isArray(v) && v[0] === source && v[1] === flags && Object.is(v[2], lastIndex);
  }
  const time = Date.prototype.getTime.call(live);
  return Number.isNaN(time) ? v === null : time === v;
}

function sameMap(live: ReadonlyMap<unknown, unknown>, entries: StateArray, context: SameContext): boolean {
  if (live.size !== entries.length) return false;
  let i = 0;
  for (const [key, value] of live) {
    const entry = entries[i++] as StateArray;
    if (!sameElement(key, entry[0]!, context) || !sameElement(value, entry[1]!, context)) return false;
  }
  return true;
}

function sameSet(live: ReadonlySet<unknown>, members: StateArray, context: SameContext): boolean {
  if (live.size !== members.length) return false;
  let i = 0;
  for (const value of live) if (!sameElement(value, members[i++]!, context)) return false;
  return true;
}

function sameError(live: object, type: string, v: StateObject, context: SameContext): boolean {
  const parts = errorParts(live, type);
  if (typeof parts === "string" || v.type !== type) return false;
  return (
    samePlain(parts.own, v.own as StateObject, context) &&
    samePlain(parts.props, v.props as StateObject, context)
  );
}
