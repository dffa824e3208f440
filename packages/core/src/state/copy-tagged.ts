import { BinaryLeaf, INLINE_BINARY_MAX_BYTES, TAG } from "../node.js";
import { ofClass, tooDeep, tooLarge, tooMany } from "./adopt.js";
import { decodeBase64, isBinaryTag } from "./binary.js";
import { setOwn } from "./key-escape.js";
import type { ResolvedLimits } from "./limits.js";
import { plainness } from "./plainness.js";

/**
 * A private copy of tagged JSON, to be adopted: long base64 of a binary tag becomes a leaf, and the caller's value stays
 * mutable. A shared reference is copied wherever it stands, so limits count here already: afterwards it were too late.
 */
export function copyTaggedJson(json: unknown, limits: ResolvedLimits): unknown {
  return new TaggedCopy(limits).value(json, 0);
}

class TaggedCopy {
  private nodes = 1;
  private bytes = 0;

  constructor(private readonly limits: ResolvedLimits) {}

  value(json: unknown, depth: number): unknown {
    if (typeof json !== "object" || json === null) return json;
    if (depth >= this.limits.maxDepth) throw tooDeep(this.limits);
    if (Array.isArray(json)) {
      this.count(json.length);
      return Array.from(json, (item) => this.value(item, depth + 1));
    }
    // A live value, such as a Date: a copy of its properties would be something else.
    if (plainness(json) === "other") throw ofClass();
    const source = json as Record<string, unknown>;
    const keys = Object.keys(source);
    this.count(keys.length);
    const tag = Object.hasOwn(source, TAG) ? source[TAG] : undefined;
    const binary = typeof tag === "string" && isBinaryTag(tag);
    const copy: Record<string, unknown> = {};
    for (const key of keys) {
      const child = source[key];
      setOwn(copy, key, binary && key === "v" ? this.payload(child) : this.value(child, depth + 1));
    }
    return copy;
  }

  private payload(text: unknown): unknown {
    if (typeof text !== "string") return null;
    this.bytes += Math.floor(text.length / 4) * 3;
    if (this.bytes > this.limits.maxBytes) throw tooLarge(this.limits);
    const bytes = decodeBase64(text);
    return bytes !== undefined && bytes.length > INLINE_BINARY_MAX_BYTES
      ? new BinaryLeaf(new Uint8Array(bytes))
      : text;
  }

  private count(children: number): void {
    this.nodes += children;
    if (this.nodes > this.limits.maxNodes) throw tooMany(this.limits);
  }
}
