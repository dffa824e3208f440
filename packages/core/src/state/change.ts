import type { StateNode } from "../node.js";

/** How one node becomes another. `weight` estimates its encoded size in bytes. */
export type Change = ReplaceChange | ArrayChange | ObjectChange | TextChange | BytesChange;

interface ReplaceChange {
  readonly kind: "replace";
  readonly weight: number;
  readonly node: StateNode;
}

/** The new array, piece by piece. */
export interface ArrayChange {
  readonly kind: "array";
  readonly weight: number;
  readonly edits: readonly ArrayEdit[];
}

/** Old elements as they are, from anywhere; one old element changed; new elements. */
export type ArrayEdit =
  | { readonly kind: "keep"; readonly from: number; readonly count: number }
  | { readonly kind: "patch"; readonly from: number; readonly change: Change }
  | { readonly kind: "insert"; readonly nodes: readonly StateNode[] };

/** Applied in this order: remove, patch, set (in place, or at the end), and then the order. */
export interface ObjectChange {
  readonly kind: "object";
  readonly weight: number;
  readonly removed: readonly string[];
  readonly patched: readonly (readonly [key: string, change: Change])[];
  readonly setKeys: readonly string[];
  readonly setNodes: readonly StateNode[];
  /** Where that does not give the new key order: runs `from, count` over the keys as they then stand. */
  readonly order: readonly number[] | undefined;
}

/** The old text's first `prefix` and last `suffix` UTF-16 units, with `text` between them. */
export interface TextChange {
  readonly kind: "text";
  readonly weight: number;
  readonly prefix: number;
  readonly suffix: number;
  readonly text: string;
}

/** The same for the bytes of a binary leaf. */
export interface BytesChange {
  readonly kind: "bytes";
  readonly weight: number;
  readonly prefix: number;
  readonly suffix: number;
  readonly bytes: Uint8Array;
}
