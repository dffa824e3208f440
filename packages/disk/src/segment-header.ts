/** The first record of every segment. docs/format.md, "Segment header". */
import type { SegmentName } from "./layout.js";
import { isWriterId } from "./layout.js";

/** The version of the format that this code writes, and the newest that it reads. */
export const FORMAT_VERSION = 1;

/** From `offset` on, segment `number` of the same writer holds nothing. */
export interface VoidFrom {
  readonly number: number;
  readonly offset: number;
}

export interface SegmentHeader extends SegmentName {
  readonly format: number;
  readonly storeId: string;
  /** Written by compaction: sealed from birth. */
  readonly compacted: boolean;
  readonly voids: readonly VoidFrom[];
}

export function encodeSegmentHeader(header: SegmentHeader): Buffer {
  const { format, storeId, writerId, number, compacted, voids } = header;
  const json = { format, storeId, writerId, number, compacted, void: voids.map((v) => [v.number, v.offset]) };
  return Buffer.from(JSON.stringify(json));
}

/** The header, or undefined when the bytes are none. A newer `format` is returned as far as it can be read. */
export function decodeSegmentHeader(bytes: Uint8Array): SegmentHeader | undefined {
  try {
    return checkSegmentHeader(JSON.parse(Buffer.from(bytes).toString("utf8")));
  } catch {
    // Not JSON.
    return undefined;
  }
}

/** The header from parsed JSON (hints hold it too). */
export function checkSegmentHeader(json: unknown): SegmentHeader | undefined {
  if (typeof json !== "object" || json === null) return undefined;
  const { format, storeId, writerId, number, compacted, void: raw } = json as Record<string, unknown>;
  if (!isPositive(format) || typeof storeId !== "string" || typeof writerId !== "string") return undefined;
  if (!isPositive(number) || !isWriterId(writerId) || !Array.isArray(raw)) return undefined;
  const voids: VoidFrom[] = [];
  for (const pair of raw) {
    if (!Array.isArray(pair) || !isPositive(pair[0]) || !isNatural(pair[1])) return undefined;
    voids.push({ number: pair[0], offset: pair[1] });
  }
  return { format, storeId, writerId, number, compacted: compacted === true, voids };
}

export function isNatural(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

export function isPositive(value: unknown): value is number {
  return isNatural(value) && value > 0;
}
