import { BinaryLeaf, type StateNode } from "../node.js";
import type { ArrayChange, Change, ObjectChange } from "../state/change.js";
import { childrenOf, runEnd, standsAlone } from "../state/grouping.js";
import { isContainer, isLarge, metaOf } from "../state/node-meta.js";
import {
  BINARY,
  EDIT_ARRAY,
  EDIT_BYTES,
  EDIT_OBJECT,
  EDIT_TEXT,
  LARGE_ARRAY,
  LARGE_OBJECT,
  REPLACE,
  type Structure,
} from "./format.js";
import type { Piece } from "./piece.js";

/** Lays out a record: the structure, and the pieces in the order in which the structure takes them. Writes nothing yet. */
export class RecordPlan {
  readonly pieces: Piece[] = [];

  /** Structure of a whole node. */
  node(node: StateNode): Structure {
    if (node instanceof BinaryLeaf) {
      this.pieces.push({ kind: "raw", bytes: node.bytes });
      return [BINARY];
    }
    if (!isContainer(node) || !isLarge(metaOf(node))) {
      this.pieces.push({ kind: "node", node });
      return 0;
    }
    const isArray = Array.isArray(node);
    const structure: Structure[] = [isArray ? LARGE_ARRAY : LARGE_OBJECT];
    if (!isArray) this.pieces.push({ kind: "keys", keys: Object.keys(node) });
    this.items(childrenOf(node), structure);
    return structure;
  }

  /**
   * Structure of a list of children, in the groups that the hash is taken over: -n takes n pieces with a child each, n one
   * piece with n children, a list is a large child.
   */
  private items(children: readonly StateNode[], into: Structure[]): void {
    for (let i = 0; i < children.length; ) {
      const child = children[i]!;
      const alone = standsAlone(child);
      const end = alone ? i + 1 : runEnd(children, i);
      if (isContainer(child) && isLarge(metaOf(child))) {
        into.push(this.node(child));
      } else if (alone) {
        this.pieces.push({ kind: "node", node: child });
        const last = into[into.length - 1];
        if (typeof last === "number" && last < 0) into[into.length - 1] = last - 1;
        else into.push(-1);
      } else {
        this.pieces.push({ kind: "run", children, start: i, end });
        into.push(end - i);
      }
      i = end;
    }
  }

  /** Structure of a change. */
  change(change: Change): Structure {
    switch (change.kind) {
      case "replace":
        return [REPLACE, this.node(change.node)];
      case "array":
        return this.arrayChange(change);
      case "object":
        return this.objectChange(change);
      case "text":
        this.pieces.push({ kind: "node", node: change.text });
        return [EDIT_TEXT, change.prefix, change.suffix];
      case "bytes":
        this.pieces.push({ kind: "raw", bytes: change.bytes });
        return [EDIT_BYTES, change.prefix, change.suffix];
    }
  }

  private arrayChange({ edits }: ArrayChange): Structure {
    const structure: Structure[] = [EDIT_ARRAY];
    for (const edit of edits) {
      if (edit.kind === "insert") this.items(edit.nodes, structure);
      else if (edit.kind === "patch") structure.push([edit.from, this.change(edit.change)]);
      else structure.push([edit.from, edit.count]);
    }
    return structure;
  }

  private objectChange({ removed, patched, setKeys, setNodes, order }: ObjectChange): Structure {
    const patches: Structure[] = [];
    for (const [key, change] of patched) patches.push(key, this.change(change));
    const items: Structure[] = [];
    this.items(setNodes, items);
    const structure: Structure[] = [EDIT_OBJECT, patches, setKeys, items, removed, order ?? []];
    while (isEmptyList(structure[structure.length - 1])) structure.pop();
    return structure;
  }
}

const isEmptyList = (part: Structure | undefined): boolean => Array.isArray(part) && part.length === 0;
