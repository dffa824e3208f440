import { INLINE_BINARY_MAX_BYTES, TAG } from "../node.js";
import { keyWeight } from "./node-meta.js";
import { hasTag, numberNode } from "./tagged.js";

/** What a value is in normal form, which is what limits count. */
export interface Size {
  readonly nodes: number;
  readonly weight: number;
  /** Levels of containers. */
  readonly height: number;
}

export const textSize = (length: number): Size => ({ nodes: 1, weight: 2 + length, height: 0 });
export const NUMBER_SIZE: Size = { nodes: 1, weight: 8, height: 0 };
export const WORD_SIZE: Size = { nodes: 1, weight: 4, height: 0 };

export function scalarSize(value: unknown): Size {
  switch (typeof value) {
    case "string":
      return textSize(value.length);
    case "bigint":
      return taggedSize("bigint", textSize(String(value).length));
    case "undefined":
      return taggedSize("undefined");
    case "number": {
      const node = numberNode(value);
      return hasTag(node, "number") ? taggedSize("number", textSize(String(node.v).length)) : NUMBER_SIZE;
    }
    default:
      return WORD_SIZE;
  }
}

/** A container of children, each with what it costs its parent: 1 in a list, the key's weight in an object. */
export function containerSize(children: readonly (readonly [number, Size])[]): Size {
  let nodes = 1;
  let weight = 2;
  let height = 0;
  for (const [overhead, child] of children) {
    nodes += child.nodes;
    weight += overhead + child.weight;
    height = Math.max(height, child.height);
  }
  return { nodes, weight, height: height + 1 };
}

export const listSize = (...children: readonly Size[]): Size =>
  containerSize(children.map((child) => [1, child]));

/** A tagged node; without a payload for what its tag says alone. */
export function taggedSize(tag: string, payload?: Size): Size {
  const name = [keyWeight(TAG), textSize(tag.length)] as const;
  return containerSize(payload === undefined ? [name] : [name, [keyWeight("v"), payload]]);
}

/** The payload of so many bytes. */
export function bytesSize(byteLength: number): Size {
  if (byteLength > INLINE_BINARY_MAX_BYTES) return { nodes: 1, weight: 8 + byteLength, height: 0 };
  return textSize(Math.ceil(byteLength / 3) * 4);
}
