import type { StateNode } from "../node.js";
import { digest } from "../state/digest.js";
import { HEAVY_WEIGHT, isContainer, keepHash, metaOf } from "../state/node-meta.js";
import { addJsonParts, type JsonPart } from "./json-parts.js";

/** One piece that is still to be written. */
export type Piece =
  | { readonly kind: "node"; readonly node: StateNode }
  | {
      readonly kind: "run";
      readonly children: readonly StateNode[];
      readonly start: number;
      readonly end: number;
    }
  | { readonly kind: "keys"; readonly keys: readonly string[] }
  | { readonly kind: "raw"; readonly bytes: Uint8Array };

/** Appends the JSON text of a piece that is not raw, in parts that follow each other. */
export function addPieceParts(piece: Exclude<Piece, { kind: "raw" }>, parts: JsonPart[]): void {
  if (piece.kind === "node") addJsonParts(piece.node, parts);
  else if (piece.kind === "keys") parts.push(JSON.stringify(piece.keys));
  else parts.push(JSON.stringify(piece.children.slice(piece.start, piece.end)));
}

/** Keeps the hash of a piece that was just written, so that naming the state does not write it again. */
export function rememberHash(piece: Piece, stored: Uint8Array): void {
  if (piece.kind !== "node" || !isContainer(piece.node)) return;
  const meta = metaOf(piece.node);
  if (meta.hash === undefined && meta.weight >= HEAVY_WEIGHT) keepHash(piece.node, meta, digest(stored));
}
