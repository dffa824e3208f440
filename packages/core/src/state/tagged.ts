import { BinaryLeaf, type StateNode, type StateObject, TAG } from "../node.js";

/** A tagged node with its payload, frozen. */
export function tagged(tag: string, v: StateNode): StateObject {
  return Object.freeze({ [TAG]: tag, v });
}

/** The tag of a node, or undefined for plain data. */
export function tagOf(node: StateNode): string | undefined {
  if (typeof node !== "object" || node === null || Array.isArray(node) || node instanceof BinaryLeaf)
    return undefined;
  const tag = (node as StateObject)[TAG];
  return typeof tag === "string" ? tag : undefined;
}

/** Whether a node is tagged with `tag`. User data never has the bare key, so one look is enough. */
export function hasTag(node: StateNode, tag: string): node is StateObject {
  return typeof node === "object" && node !== null && (node as StateObject)[TAG] === tag;
}

export const UNDEFINED_NODE: StateObject = Object.freeze({ [TAG]: "undefined" });
const NAN_NODE = tagged("number", "NaN");
const INFINITY_NODE = tagged("number", "Infinity");
const NEGATIVE_INFINITY_NODE = tagged("number", "-Infinity");
const NEGATIVE_ZERO_NODE = tagged("number", "-0");

/** A number's node: itself where JSON can say it, else a tagged one. */
export function numberNode(value: number): StateNode {
  if (value - value === 0) return value === 0 && 1 / value < 0 ? NEGATIVE_ZERO_NODE : value;
  if (value === Number.POSITIVE_INFINITY) return INFINITY_NODE;
  return value === Number.NEGATIVE_INFINITY ? NEGATIVE_INFINITY_NODE : NAN_NODE;
}

/** What the payload of a `number` tag may say. */
export const SPECIAL_NUMBERS: ReadonlyMap<string, number> = new Map([
  ["NaN", Number.NaN],
  ["Infinity", Number.POSITIVE_INFINITY],
  ["-Infinity", Number.NEGATIVE_INFINITY],
  ["-0", -0],
]);
