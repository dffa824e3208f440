import type { StateArray, StateNode, StateObject } from "../node.js";
import {
  binaryPayload,
  binaryTag,
  bytesOf,
  hasNamedProperties,
  MOST_BINARY_BYTES,
  samePayload,
} from "./binary.js";
import { builtInTag, ownKeyCount } from "./built-in.js";
import { codecFor } from "./class-codec.js";
import type { Differences } from "./differences.js";
import { errorParts, errorType } from "./error-values.js";
import { refuse } from "./refused.js";
import { hasTag, tagged } from "./tagged.js";

/** What rich values need from the walk. */
export interface NodeBuilder {
  readonly codecs: Parameters<typeof codecFor>[1];
  readonly differences: Differences | undefined;
  node(live: unknown, previous: StateNode | undefined, depth: number): StateNode;
  array(live: readonly unknown[], previous: StateNode | undefined, depth: number): StateArray;
}

/** The tagged node of a value that is neither plain object nor array; the previous node where nothing changed. */
export function richNode(
  live: object,
  previous: StateNode | undefined,
  depth: number,
  walk: NodeBuilder,
): StateNode {
  const codec = codecFor(live, walk.codecs);
  if (codec !== undefined) {
    const before = payload(previous, "codec");
    const inner = Array.isArray(before) && before[0] === codec.name ? (before[1] as StateNode) : undefined;
    const plain = walk.differences === undefined ? codec.encode(live) : walk.differences.plainOf(live, codec);
    const encoded = walk.node(plain, inner, depth + 2);
    if (inner !== undefined && encoded === inner) return previous!;
    return tagged("codec", Object.freeze([codec.name, encoded]));
  }
  const binary = binaryTag(live);
  if (binary !== undefined) return binaryNode(live, binary, previous);
  const type = errorType(live);
  if (type !== undefined) return errorNode(live, type, previous, depth, walk);
  return builtInNode(live, previous, depth, walk);
}

function binaryNode(live: object, tag: string, previous: StateNode | undefined): StateNode {
  if (Object.getOwnPropertySymbols(live).length > 0 || hasNamedProperties(live)) refuse();
  const bytes = bytesOf(live);
  if (bytes.length > MOST_BINARY_BYTES) refuse();
  if (previous !== undefined && samePayload(bytes, payload(previous, tag))) return previous;
  return tagged(tag, binaryPayload(bytes));
}

function errorNode(
  live: object,
  type: string,
  previous: StateNode | undefined,
  depth: number,
  walk: NodeBuilder,
): StateNode {
  const parts = errorParts(live, type);
  if (typeof parts === "string") return refuse();
  const before = payload(previous, "Error");
  const v = walk.node(parts, before, depth + 1);
  return before !== undefined && v === before ? previous! : tagged("Error", v);
}

function builtInNode(
  live: object,
  previous: StateNode | undefined,
  depth: number,
  walk: NodeBuilder,
): StateNode {
  const tag = builtInTag(live);
  if (tag === undefined || Reflect.ownKeys(live).length > ownKeyCount(tag)) return refuse();
  const before = payload(previous, tag);
  let v: StateNode;
  if (tag === "Map") {
    v = walk.array(Array.from(live as Map<unknown, unknown>), before, depth + 1);
  } else if (tag === "Set") {
    v = walk.array(Array.from(live as Set<unknown>), before, depth + 1);
  } else if (tag === "Date") {
    const time = Date.prototype.getTime.call(live);
    v = Number.isNaN(time) ? null : time;
  } else if (tag === "URL") {
    v = (live as URL).href;
    if (!isStableUrl(v)) refuse();
  } else {
    const { source, flags, lastIndex } = live as RegExp;
    if (!isPosition(lastIndex)) refuse();
    v = walk.array([source, flags, lastIndex], before, depth + 1);
  }
  return before !== undefined && v === before ? previous! : tagged(tag, v);
}

/** Whether a RegExp may stand there. -0 is none: no number of JSON says it, and the payload is one. */
export function isPosition(lastIndex: unknown): boolean {
  return Number.isSafeInteger(lastIndex) && (lastIndex as number) >= 0 && !Object.is(lastIndex, -0);
}

/** Whether parsing the text gives the same URL again. */
export function isStableUrl(href: string): boolean {
  return URL.canParse(href) && new URL(href).href === href;
}

function payload(node: StateNode | undefined, tag: string): StateNode | undefined {
  return node !== undefined && hasTag(node, tag) ? (node as StateObject).v : undefined;
}
