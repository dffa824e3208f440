/** The body of a commit: sections, header JSON, length of the header. docs/format.md, "Commit". */
import { CkptError } from "@ckpt/errors";
import type { RawEntry } from "./entry-encode.js";

/** Frame kinds in a segment. */
export const SEGMENT_HEADER_KIND = 1;
export const COMMIT_KIND = 2;
/** The only codec that this version writes and reads: bytes as they are. */
export const PLAIN_CODEC = 0;

/** The longest header of a commit, in bytes. */
export const MAX_COMMIT_HEADER_BYTES = 32 * 1024 * 1024;
/** The length field behind the header. */
const COMMIT_TRAILER_BYTES = 4;

/** Header and its length, as they stand behind the sections. Throws `CKPT_LIMIT`. */
export function encodeCommitHeader(entries: readonly RawEntry[]): Buffer {
  const json = JSON.stringify({ e: entries });
  const length = Buffer.byteLength(json);
  if (length > MAX_COMMIT_HEADER_BYTES) throw headerTooLong(length);
  const bytes = Buffer.allocUnsafe(length + COMMIT_TRAILER_BYTES);
  bytes.write(json, 0, "utf8");
  bytes.writeUInt32LE(length, length);
  return bytes;
}

export function headerTooLong(bytes: number): CkptError {
  return new CkptError("CKPT_LIMIT", {
    message: `The headers of this batch take ${bytes} bytes, above the limit of ${MAX_COMMIT_HEADER_BYTES}.`,
    hint: "Keep metadata and notes small, or split the batch; nothing was written.",
    details: { bytes, maxBytes: MAX_COMMIT_HEADER_BYTES },
  });
}

/** How many bytes at the end of a body are header and length; undefined when the length cannot be right. */
export function commitHeaderBytes(tail: Uint8Array, bodyBytes: number): number | undefined {
  if (tail.length < COMMIT_TRAILER_BYTES) return undefined;
  const view = new DataView(tail.buffer, tail.byteOffset, tail.byteLength);
  const length = view.getUint32(tail.length - COMMIT_TRAILER_BYTES, true);
  const total = length + COMMIT_TRAILER_BYTES;
  return length <= MAX_COMMIT_HEADER_BYTES && total <= bodyBytes ? total : undefined;
}

/** The raw entries, from the last bytes of a body (header and length). Undefined when they are no header. */
export function decodeCommitHeader(headerAndLength: Uint8Array): readonly unknown[] | undefined {
  const { buffer, byteOffset, length } = headerAndLength;
  const json = Buffer.from(buffer, byteOffset, length - COMMIT_TRAILER_BYTES).toString("utf8");
  try {
    const header: unknown = JSON.parse(json);
    if (typeof header !== "object" || header === null) return undefined;
    const entries: unknown = (header as { e?: unknown }).e;
    return Array.isArray(entries) ? entries : undefined;
  } catch {
    // Not JSON: the caller reports the record as damaged.
    return undefined;
  }
}
