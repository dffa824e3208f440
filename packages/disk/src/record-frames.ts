/** Verifies the frames of a record that is in memory. */
import { crc32, FRAME_HEADER_BYTES, frameCrc, parseFrameHeader } from "@ckpt/io";

/** What is wrong with a record, and where in the file. */
export class BadRecord extends Error {
  readonly at: number;
  constructor(at: number, why: string) {
    super(why);
    this.at = at;
  }
}

/**
 * The bodies of the record at `offset` of the file, of which `bytes` holds the part from `start` on, verified. Throws
 * {@link BadRecord}.
 */
export function recordBodies(bytes: Buffer, start: number, offset: number, length: number): Uint8Array[] {
  const bodies: Uint8Array[] = [];
  const end = offset + length;
  let at = offset;
  for (let isFirst = true; ; isFirst = false) {
    const header = parseFrameHeader(bytes, at - start, at);
    if (header === undefined || header.isFirst !== isFirst)
      throw new BadRecord(at, "no frame of the record begins here");
    const frameEnd = at + FRAME_HEADER_BYTES + header.bodyBytes;
    if (frameEnd > end || frameEnd - start > bytes.length) throw new BadRecord(at, "the record is cut short");
    const body = bytes.subarray(at - start + FRAME_HEADER_BYTES, frameEnd - start);
    if (frameCrc(at, bytes, at - start, crc32(body)) !== header.crc)
      throw new BadRecord(at, "the checksum does not match");
    bodies.push(body);
    at = frameEnd;
    if (!header.isLast) continue;
    if (at !== end) throw new BadRecord(at, "the record is shorter than recorded");
    return bodies;
  }
}

/** The part of `body` that lies in [from, to) of the record's whole body, `body` standing at `at` of it. */
export function overlap(body: Uint8Array, at: number, from: number, to: number): Uint8Array | undefined {
  const start = Math.max(0, from - at);
  const end = Math.min(body.length, to - at);
  return start < end ? body.subarray(start, end) : undefined;
}
