import type { StateNode } from "../node.js";
import type { ClassCodec } from "./class-codec.js";

/**
 * What the comparisons of one walk found to differ. An array's elements are compared before they are built, and so are
 * those of the arrays inside: without this, nested arrays would be compared once for each level above them. Written only
 * where something differs, so an unchanged state never has one.
 */
export class Differences {
  /** Live containers, with the node that they were last found to differ from. */
  private readonly pairs = new Map<object, StateNode>();
  /** What codecs gave for instances that differ: building them needs it again. */
  private readonly plain = new Map<object, unknown>();

  has(live: object, node: StateNode): boolean {
    return this.pairs.get(live) === node;
  }

  add(live: object, node: StateNode): void {
    this.pairs.set(live, node);
  }

  keepPlain(live: object, plain: unknown): void {
    this.plain.set(live, plain);
  }

  /** What the codec makes of an instance, asked once where it was found to differ. */
  plainOf(live: object, codec: ClassCodec<unknown>): unknown {
    return this.plain.has(live) ? this.plain.get(live) : codec.encode(live);
  }
}
