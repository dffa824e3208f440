import type { Json } from "./checkpoint-header.js";
import type { Delta } from "./delta.js";
import type { StateArray, StateNode, StateObject } from "./node.js";
import type { Snapshot } from "./snapshot.js";
import { applyChange } from "./state/apply-change.js";
import type { ArrayChange, ArrayEdit, Change, ObjectChange } from "./state/change.js";
import { longestRise } from "./state/longest-rise.js";
import { toTaggedJson } from "./state/tagged-json.js";

/** One operation of a JSON Patch (RFC 6902); `path` is a JSON Pointer (RFC 6901). */
export type JsonPatchOperation =
  | { readonly op: "add"; readonly path: string; readonly value: Json }
  | { readonly op: "replace"; readonly path: string; readonly value: Json }
  | { readonly op: "remove"; readonly path: string };

/**
 * The delta as a plain JSON Patch (RFC 6902) on the tagged JSON of the states: apply it to `previous.toTaggedJson()`. A text
 * or binary that was spliced is replaced whole, a moved element is removed and added, and the order of keys, which JSON Patch
 * cannot express, is left out: for these three a delta says more. Throws `CKPT_INVALID_ARGUMENT` when the delta does not fit.
 */
export function toJsonPatch(previous: Snapshot, delta: Delta): JsonPatchOperation[] {
  const operations: JsonPatchOperation[] = [];
  if (delta.change === undefined) return operations;
  // A delta that does not fit must throw, not yield a wrong patch.
  applyChange(previous.root, delta.change);
  expand(previous.root, delta.change, "", operations);
  return operations;
}

function expand(node: StateNode, change: Change, path: string, into: JsonPatchOperation[]): void {
  if (change.kind === "array") expandArray(node as StateArray, change, path, into);
  else if (change.kind === "object") expandObject(node as StateObject, change, path, into);
  else into.push({ op: "replace", path, value: toTaggedJson(applyChange(node, change)) });
}

function expandObject(
  node: StateObject,
  change: ObjectChange,
  path: string,
  into: JsonPatchOperation[],
): void {
  for (const key of change.removed) into.push({ op: "remove", path: pointer(path, key) });
  for (const [key, inner] of change.patched) expand(node[key]!, inner, pointer(path, key), into);
  change.setKeys.forEach((key, i) => {
    const op = Object.hasOwn(node, key) ? "replace" : "add";
    into.push({ op, path: pointer(path, key), value: toTaggedJson(change.setNodes[i]!) });
  });
}

/** Elements that stay where they are relative to each other stay; all others are removed, then added in their new places. */
function expandArray(node: StateArray, change: ArrayChange, path: string, into: JsonPatchOperation[]): void {
  const staying = stayingEdits(change.edits);
  const stays = new Uint8Array(node.length);
  for (const edit of staying) {
    const { from, count } = edit.kind === "keep" ? edit : { from: edit.from, count: 1 };
    stays.fill(1, from, from + count);
  }
  for (let i = node.length - 1; i >= 0; i--)
    if (stays[i] === 0) into.push({ op: "remove", path: `${path}/${i}` });
  let position = 0;
  for (const edit of change.edits) {
    if (edit.kind !== "insert" && staying.has(edit)) {
      if (edit.kind === "patch") expand(node[edit.from]!, edit.change, `${path}/${position}`, into);
      position += edit.kind === "keep" ? edit.count : 1;
    } else {
      for (const value of newValues(node, edit)) {
        into.push({ op: "add", path: `${path}/${position}`, value: toTaggedJson(value) });
        position++;
      }
    }
  }
}

type OldEdit = Exclude<ArrayEdit, { kind: "insert" }>;

function stayingEdits(edits: readonly ArrayEdit[]): ReadonlySet<OldEdit> {
  const old = edits.filter((edit): edit is OldEdit => edit.kind !== "insert");
  return new Set(longestRise(old.map(({ from }) => from)).map((i) => old[i]!));
}

function newValues(node: StateArray, edit: ArrayEdit): readonly StateNode[] {
  if (edit.kind === "insert") return edit.nodes;
  if (edit.kind === "patch") return [applyChange(node[edit.from]!, edit.change)];
  return node.slice(edit.from, edit.from + edit.count);
}

function pointer(path: string, key: string): string {
  return `${path}/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`;
}
