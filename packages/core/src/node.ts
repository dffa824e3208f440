/**
 * The normal form of a state: a pure, deep-frozen JSON tree. Rich values are tagged nodes, large binary is a leaf.
 *
 * A tagged node is a plain object whose FIRST key is {@link TAG}: `{ "$ckpt": "Date", "v": 1700000000000 }`.
 * A user's own key `$ckpt` (or `$$ckpt`, ...) is stored with one more `$`, so no state can forge a tag.
 */
export type StateNode = null | boolean | number | string | StateArray | StateObject | BinaryLeaf;
export type StateArray = readonly StateNode[];
export interface StateObject {
  readonly [key: string]: StateNode;
}

/** The key that marks a tagged node. */
export const TAG = "$ckpt";

/** Binary of at most this many bytes is inlined as base64 in its tagged node; longer is a {@link BinaryLeaf}. */
export const INLINE_BINARY_MAX_BYTES = 256;

/**
 * The bytes of one typed array, Buffer or ArrayBuffer: a private copy that nobody may write to.
 * It stands under `"v"` of its tagged node (`{ "$ckpt": "Float32Array", "v": BinaryLeaf }`).
 */
export class BinaryLeaf {
  readonly bytes: Uint8Array;
  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    Object.freeze(this);
  }
}
