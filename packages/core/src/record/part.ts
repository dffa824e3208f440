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

/** A piece of JSON text as it was read. It is parsed when its content is asked for. */
export class TextPart {
  private text: string | undefined;
  private parsed: StateNode | undefined;

  constructor(
    text: string,
    /** Hash of the text as stored; none for short ones. */
    readonly digest: Digest | undefined,
    private readonly limits: ResolvedLimits,
  ) {
    this.text = text;
  }

  /** The text, while it was not parsed. */
  get unparsed(): string | undefined {
    return this.text;
  }

  /** The checked, frozen node. Throws `CKPT_CORRUPT` when the text holds none. */
  get node(): StateNode {
    return this.text === undefined ? (this.parsed as StateNode) : this.parse(this.text);
  }

  /** Parses now, so that the text is not kept. */
  settle(): void {
    if (this.text !== undefined) this.parse(this.text);
  }

  private parse(text: string): StateNode {
    const node = adopt(parseJson(text, "piece"), this.limits);
    this.parsed = node;
    this.text = undefined;
    if (this.digest !== undefined && isContainer(node)) {
      const meta = metaOf(node);
      if (meta.weight >= HEAVY_WEIGHT && !isLarge(meta)) keepHash(node, meta, this.digest);
    }
    return node;
  }
}

/** A piece: text, or the bytes of a binary leaf. */
export type Part = TextPart | BinaryLeaf;

/** Takes a piece over from the caller's bytes, and hashes it while they are there. */
export function readPart(bytes: Uint8Array, raw: boolean, limits: ResolvedLimits): Part {
  if (raw) return new BinaryLeaf(new Uint8Array(bytes));
  return new TextPart(decodeText(bytes), bytes.length < HASHED_BYTES ? undefined : digest(bytes), limits);
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

  /** A list of values that came in one piece, with its hash. */
  list(): { readonly nodes: readonly StateNode[]; readonly digest: Digest | undefined } {
    const { node, digest: stored } = this.text();
    if (!Array.isArray(node)) throw corrupt("A record has another value where its structure takes a list.");
    return { nodes: node, digest: stored };
  }

  /** Every piece must have been taken. */
  end(): void {
    if (this.next !== this.parts.length) throw corrupt("A record has pieces that its structure does not take.");
  }
}
