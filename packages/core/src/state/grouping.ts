import type { StateNode, StateObject } from "../node.js";
import { HEAVY_WEIGHT, isContainer, metaOf, RUN_WEIGHT, weightOf } from "./node-meta.js";

/** Whether a child is hashed alone. */
export function standsAlone(child: StateNode): boolean {
  if (!isContainer(child)) return typeof child === "string" && child.length + 2 >= HEAVY_WEIGHT;
  const meta = metaOf(child);
  return meta.weight >= HEAVY_WEIGHT || meta.leaf;
}

/** Where the run of light children that begins at `start` ends. */
export function runEnd(children: readonly StateNode[], start: number): number {
  let end = start;
  for (let weight = 0; end < children.length && weight < RUN_WEIGHT; end++) {
    const child = children[end]!;
    if (standsAlone(child)) break;
    weight += weightOf(child);
  }
  return end;
}

/** The children of a large container, in order. */
export function childrenOf(node: object): readonly StateNode[] {
  if (Array.isArray(node)) return node;
  const object = node as StateObject;
  const keys = Object.keys(object);
  const children: StateNode[] = [];
  for (let i = 0; i < keys.length; i++) children.push(object[keys[i]!]!);
  return children;
}
