import type { StateNode } from "../node.js";
import type { CodecRegistry } from "./class-codec.js";

/** A state that was read and verified, but whose frozen tree nobody has asked for yet. */
export class UnbuiltState {
  constructor(
    /** SHA-256, 64 hex digits. */
    readonly hash: string,
    /** Builds the frozen tree. */
    readonly build: () => StateNode,
    /** A fresh, mutable value, without the tree. */
    readonly value: (codecs: CodecRegistry) => unknown,
  ) {}
}
