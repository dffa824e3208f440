import { BinaryLeaf, type StateNode } from "../node.js";
import { adopt } from "../state/adopt.js";
import { corrupt } from "../state/corrupt.js";
import { type Digest, digest } from "../state/digest.js";
import type { ResolvedLimits } from "../state/limits.js";
import { HEAVY_WEIGHT, isContainer, isLarge, keepHash, metaOf } from "../state/node-meta.js";
import { parseJson } from "./parser.js";
import { decodeText } from "./text.js";

/** Shorter texts are no heavy nodes, and parsing them costs less than hashing. */
const HASHED_BYTES = 64;

/**
 * A piece of JSON text as it was read. It is decoded and parsed when its content is asked for: until then it lives outside the
 * garbage-collected heap.
 */
export class TextPart {
  private bytes: Uint8Array | undefined;
  private parsed: StateNode = null;

  constructor(
    bytes: Uint8Array,
    /** Hash of the text as stored; none for short ones. */
    readonly digest: Digest | undefined,
    private readonly limits: ResolvedLimits,
  ) {
    this.bytes = bytes;
  }

  /** Length of the text in bytes while it is unparsed, else 0. */
  get unparsedBytes(): number {
    return this.bytes === undefined ? 0 : this.bytes.length;
  }

  /** The text, while it is unparsed. */
  get text(): string | undefined {
    return this.bytes === undefined ? undefined : decodeText(this.bytes);
  }

  /** The checked, frozen node. Throws `CKPT_CORRUPT` when the text holds none. */
  get node(): StateNode {
    return this.bytes === undefined ? this.parsed : this.parse(this.bytes);
  }

  /** Parses now, so that the text is not kept. */
  settle(): void {
    if (this.bytes !== undefined) this.parse(this.bytes);
  }

  private parse(bytes: Uint8Array): StateNode {
    const node = adopt(parseJson(decodeText(bytes), "piece"), this.limits);
    this.parsed = node;
    this.bytes = undefined;
    if (this.digest !== undefined && isContainer(node)) {
      const meta = metaOf(node);
      if (meta.weight >= HEAVY_WEIGHT && !isLarge(meta)) keepHash(node, meta, this.digest);
    }
    return node;
  }
}

/** One of the light children that came together in one piece, not looked into yet. Stands at one place of the tree. */
export class RunChild {
  constructor(
    readonly run: TextPart,
    readonly index: number,
  ) {}

  get node(): StateNode {
    const { node } = this.run;
    const child = Array.isArray(node) ? (node[this.index] as StateNode | undefined) : undefined;
    if (child === undefined) throw wrongList();
    return child;
  }
}

export const wrongList = (): Error => corrupt("A record has another value where its structure takes a list.");

/** A piece: text, or the bytes of a binary leaf. */
export type Part = TextPart | BinaryLeaf;

/** Takes a piece over, bytes included, and hashes it. */
export function readPart(bytes: Uint8Array, raw: boolean, limits: ResolvedLimits): Part {
  if (raw) return new BinaryLeaf(new Uint8Array(bytes));
  const isShort = bytes.length < HASHED_BYTES;
  const part = new TextPart(bytes, isShort ? undefined : digest(bytes), limits);
  // A short one is parsed in any case, and is smaller than a view of its bytes.
  if (isShort) part.settle();
  return part;
}

/** Hands out the parts of one record in the order in which its structure takes them. */
export class PartSource {
  private next = 0;

  constructor(private readonly parts: readonly Part[]) {}

  private take(): Part {
    const part = this.parts[this.next++];
    if (part === undefined) throw corrupt("A record's structure takes more pieces than there are.");
    return part;
  }

  bytes(): Uint8Array {
    const part = this.take();
    if (!(part instanceof BinaryLeaf)) throw corrupt("A record has text where its structure takes bytes.");
    return part.bytes;
  }

  text(): TextPart {
    const part = this.take();
    if (part instanceof BinaryLeaf) throw corrupt("A record has bytes where its structure takes text.");
    return part;
  }

  /** A list of values that came in one piece. */
  list(): readonly StateNode[] {
    const { node } = this.text();
    if (!Array.isArray(node)) throw wrongList();
    return node;
  }

  /** Every piece must have been taken. */
  end(): void {
    if (this.next !== this.parts.length)
      throw corrupt("A record has pieces that its structure does not take.");
  }
}
