import type { Json } from "../checkpoint-header.js";
import { BinaryLeaf, type StateNode, type StateObject } from "../node.js";
import { setOwn } from "./key-escape.js";
import { isContainer, metaOf } from "./node-meta.js";

/** The tagged JSON of a node: itself, with binary leaves as base64 text. Shares what holds no leaf; do not change it. */
export function toTaggedJson(node: StateNode): Json {
  if (!isContainer(node) || !metaOf(node).leaf) return node as Json;
  if (node instanceof BinaryLeaf) {
    const { buffer, byteOffset, length } = node.bytes;
    return Buffer.from(buffer, byteOffset, length).toString("base64");
  }
  if (Array.isArray(node)) return node.map(toTaggedJson);
  const object = node as StateObject;
  const json: Record<string, Json> = {};
  for (const key of Object.keys(object)) setOwn(json, key, toTaggedJson(object[key]!));
  return json;
}
