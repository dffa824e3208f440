import { BinaryLeaf, type StateNode } from "../node.js";
import { adopt } from "../state/adopt.js";
import { corrupt } from "../state/corrupt.js";
import { type Digest, digest } from "../state/digest.js";
import type { ResolvedLimits } from "../state/limits.js";
import { HEAVY_WEIGHT, isContainer, isLarge, keepHash, metaOf } from "../state/node-meta.js";
import { parseJson } from "./parser.js";

/** A piece as it was read: a checked node, or bytes. `digest` is the hash as stored, where the state's hash can use it. */
export interface Part {
  readonly node: StateNode;
  readonly digest: Digest | undefined;
}

/** Reads a piece: parses, checks, freezes and hashes it, so that its bytes need not be kept. */
export function readPart(bytes: Uint8Array, raw: boolean, limits: ResolvedLimits): Part {
  if (raw) return { node: new BinaryLeaf(new Uint8Array(bytes)), digest: undefined };
  const node = adopt(parseJson(bytes, "piece"), limits);
  if (typeof node === "string") {
    return { node, digest: node.length + 2 >= HEAVY_WEIGHT ? digest(bytes) : undefined };
  }
  if (!isContainer(node)) return { node, digest: undefined };
  const meta = metaOf(node);
  const alone = meta.weight >= HEAVY_WEIGHT && !isLarge(meta);
  if (!alone && !Array.isArray(node)) return { node, digest: undefined };
  const stored = digest(bytes);
  if (alone) keepHash(node, meta, stored);
  return { node, digest: stored };
}

/** Hands out the parts of one record in the order in which its structure takes them. */
export class PartSource {
  private next = 0;

  constructor(private readonly parts: readonly Part[]) {}

  take(): Part {
    const part = this.parts[this.next++];
    if (part === undefined) throw corrupt("A record's structure takes more pieces than there are.");
    return part;
  }

  bytes(): Uint8Array {
    const { node } = this.take();
    if (!(node instanceof BinaryLeaf)) throw corrupt("A record has text where its structure takes bytes.");
    return node.bytes;
  }

  /** One value that came as text. */
  value(): Part {
    const part = this.take();
    if (part.node instanceof BinaryLeaf) throw corrupt("A record has bytes where its structure takes text.");
    return part;
  }

  /** A list of values that came in one piece. */
  list(): Part & { readonly node: readonly StateNode[] } {
    const part = this.value();
    if (!Array.isArray(part.node))
      throw corrupt("A record has another value where its structure takes a list.");
    return part as Part & { readonly node: readonly StateNode[] };
  }

  /** Every piece must have been taken. */
  end(): void {
    if (this.next !== this.parts.length)
      throw corrupt("A record has pieces that its structure does not take.");
  }
}
