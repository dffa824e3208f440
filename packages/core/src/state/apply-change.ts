import { CkptError } from "@ckpt/errors";
import { BinaryLeaf, type StateArray, type StateNode, type StateObject } from "../node.js";
import type { ArrayChange, BytesChange, Change, ObjectChange, TextChange } from "./change.js";
import { setOwn } from "./key-escape.js";
import { measureEdited, succeed } from "./node-meta.js";

/** The node that `change` makes of `node`: new along the change, shared everywhere else. */
export function applyChange(node: StateNode, change: Change): StateNode {
  switch (change.kind) {
    case "replace":
      return change.node;
    case "array":
      return Array.isArray(node) ? editArray(node, change) : misfit();
    case "object":
      return isObject(node) ? editObject(node, change) : misfit();
    case "text":
      return typeof node === "string" ? editText(node, change) : misfit();
    case "bytes":
      return node instanceof BinaryLeaf ? new BinaryLeaf(editBytes(node.bytes, change)) : misfit();
  }
}

function isObject(node: StateNode): node is StateObject {
  return typeof node === "object" && node !== null && !Array.isArray(node) && !(node instanceof BinaryLeaf);
}

function misfit(): never {
  throw new CkptError("CKPT_INVALID_ARGUMENT", {
    message: "The delta does not fit this snapshot: it was made from another one.",
    hint: "Apply a delta to the snapshot that was `previous` in its diff.",
  });
}

function editArray(node: StateArray, { edits }: ArrayChange): StateArray {
  const result: StateNode[] = [];
  for (const edit of edits) {
    if (edit.kind === "insert") {
      for (const inserted of edit.nodes) result.push(inserted);
    } else if (edit.kind === "patch") {
      if (edit.from >= node.length) misfit();
      result.push(applyChange(node[edit.from]!, edit.change));
    } else {
      if (edit.from + edit.count > node.length) misfit();
      for (let i = edit.from; i < edit.from + edit.count; i++) result.push(node[i]!);
    }
  }
  const first = edits[0];
  const prefix = first?.kind === "keep" && first.from === 0 ? first.count : 0;
  Object.freeze(result);
  measureEdited(result, node, prefix, 0);
  return result;
}

/** The text with its middle replaced. */
function editText(node: string, { prefix, suffix, text }: TextChange): string {
  if (prefix + suffix > node.length) misfit();
  return (prefix === node.length ? node : node.slice(0, prefix)) + text + node.slice(node.length - suffix);
}

function editBytes(bytes: Uint8Array, change: BytesChange): Uint8Array {
  const { prefix, suffix } = change;
  if (prefix + suffix > bytes.length) misfit();
  const result = new Uint8Array(prefix + change.bytes.length + suffix);
  result.set(bytes.subarray(0, prefix));
  result.set(change.bytes, prefix);
  result.set(bytes.subarray(bytes.length - suffix), prefix + change.bytes.length);
  return result;
}

function editObject(node: StateObject, change: ObjectChange): StateObject {
  const entries = new Map<string, StateNode>();
  for (const key of Object.keys(node)) entries.set(key, node[key]!);
  for (const key of change.removed) if (!entries.delete(key)) misfit();
  for (const [key, inner] of change.patched) {
    const child = entries.get(key);
    if (child === undefined) misfit();
    entries.set(key, applyChange(child, inner));
  }
  change.setKeys.forEach((key, i) => void entries.set(key, change.setNodes[i]!));
  const result: Record<string, StateNode> = {};
  for (const key of inOrder([...entries.keys()], change.order)) setOwn(result, key, entries.get(key));
  Object.freeze(result);
  succeed(result, node);
  return result;
}

/** The keys in the order that the runs say, or as they are. */
function inOrder(keys: readonly string[], order: readonly number[] | undefined): readonly string[] {
  if (order === undefined) return keys;
  const result: string[] = [];
  for (let i = 0; i < order.length; i += 2) {
    const from = order[i]!;
    const count = order[i + 1]!;
    if (from + count > keys.length) misfit();
    for (let k = from; k < from + count; k++) result.push(keys[k]!);
  }
  return result;
}
