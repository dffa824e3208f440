import { CkptError } from "@ckpt/errors";
import { crc32 } from "./crc32.js";
import type { FileHandle } from "./file-system.js";
import { FRAME_HEADER_BYTES, type FrameHeader, frameCrc, parseFrameHeader } from "./frame.js";
import { readFully } from "./fully.js";

/** Options of {@link readRecord}. */
export interface ReadRecordOptions {
  /** The record's length in the file, headers included, where the caller knows it: then one read fetches it all. */
  readonly length?: number;
  /** The longest body that is taken into memory, in bytes; default 256 MiB. Above it: `CKPT_LIMIT`. */
  readonly maxBytes?: number;
}

/** A record read at a known offset, verified. */
export interface ReadRecord {
  readonly kind: number;
  readonly codec: number;
  /** Headers included. */
  readonly length: number;
  readonly chain: Uint8Array;
  /** The fragments' bodies, in order. */
  readonly bodies: Uint8Array[];
}

/** One verified frame, wherever in a record it stands. */
export interface ReadFrame {
  readonly kind: number;
  readonly codec: number;
  readonly isFirst: boolean;
  readonly isLast: boolean;
  readonly acked: number;
  readonly chain: Uint8Array;
  readonly body: Uint8Array;
  /** Where the next frame begins. */
  readonly end: number;
}

/** One verified fragment. */
interface Fragment {
  readonly header: FrameHeader;
  readonly body: Uint8Array;
  readonly end: number;
  /** What was read behind it. */
  readonly rest: Buffer;
}

/** What is read at first where the length is not known. */
const GUESS_BYTES = 16 * 1024;
/** The longest first read: a length that comes from elsewhere may be wrong. Longer records have fragments anyway. */
const MAX_FIRST_READ_BYTES = 4 * 1024 * 1024;
const DEFAULT_MAX_BYTES = 256 * 1024 * 1024;

/**
 * Reads the record that begins at `offset` into memory and verifies each frame's checksum.
 *
 * Throws `CKPT_CORRUPT` (details: path, offset, reason) where no intact record begins there, `CKPT_LIMIT` above
 * `maxBytes`, and the file system's error where reading fails.
 */
export async function readRecord(
  handle: FileHandle,
  offset: number,
  options: ReadRecordOptions = {},
): Promise<ReadRecord> {
  const maxBytes = options.maxBytes ?? DEFAULT_MAX_BYTES;
  const bodies: Uint8Array[] = [];
  let total = 0;
  let last: Fragment | undefined;
  const firstRead = Math.max(
    FRAME_HEADER_BYTES,
    Math.min(options.length ?? GUESS_BYTES, MAX_FIRST_READ_BYTES),
  );
  for await (const fragment of fragmentsAt(handle, offset, firstRead)) {
    total += fragment.body.length;
    if (total > maxBytes) throw tooLong(handle, offset, maxBytes);
    bodies.push(fragment.body);
    last = fragment;
  }
  const { header, end } = last!;
  return { kind: header.kind, codec: header.codec, length: end - offset, chain: header.chain, bodies };
}

/**
 * The bodies of the record that begins at `offset`, fragment by fragment, each verified before it is handed out, and the caller's
 * to keep: memory is bounded by two fragments, for the next one is read meanwhile. Throws like {@link readRecord}; a record that ends without its last fragment throws
 * `CKPT_CORRUPT` after the intact ones.
 */
export async function* streamRecord(
  handle: FileHandle,
  offset: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const fragment of fragmentsAt(handle, offset, GUESS_BYTES)) yield fragment.body;
}

/** The single frame that begins at `offset`, verified. Throws `CKPT_CORRUPT` where no intact frame does. */
export async function readFrame(handle: FileHandle, offset: number): Promise<ReadFrame> {
  const { header, body, end } = await frameAt(
    handle,
    offset,
    offset,
    await readAt(handle, offset, GUESS_BYTES),
  );
  const { kind, codec, isFirst, isLast, acked, chain } = header;
  return { kind, codec, isFirst, isLast, acked, chain, body, end };
}

async function* fragmentsAt(
  handle: FileHandle,
  offset: number,
  firstRead: number,
): AsyncGenerator<Fragment, void, undefined> {
  let at = offset;
  let bytes = await readAt(handle, at, firstRead);
  let first: FrameHeader | undefined;
  while (true) {
    const fragment = await frameAt(handle, offset, at, bytes);
    const { header, end } = fragment;
    if (header.isFirst !== (first === undefined))
      throw corrupt(handle, offset, at, "not the fragment expected");
    first ??= header;
    if (header.kind !== first.kind || header.codec !== first.codec) {
      throw corrupt(handle, offset, at, "a fragment of another record");
    }
    if (header.isLast) {
      yield fragment;
      return;
    }
    // While one fragment is made use of, the next one is read.
    const next = frameBehind(handle, end, fragment.rest);
    const settled = next.catch(() => undefined);
    try {
      yield fragment;
    } finally {
      await settled;
    }
    bytes = await next;
    at = end;
  }
}

/** The bytes of the frame at `at`, of which `bytes` are there already, for {@link frameAt} to look at. */
async function frameBehind(handle: FileHandle, at: number, bytes: Buffer): Promise<Buffer> {
  const header = parseFrameHeader(bytes, 0, at);
  if (header === undefined) return bytes;
  const frameBytes = FRAME_HEADER_BYTES + header.bodyBytes;
  return bytes.length < frameBytes ? readAt(handle, at, withNextHeader(header)) : bytes;
}

/** The next header comes along, which saves a read per fragment. */
function withNextHeader(header: FrameHeader): number {
  const frameBytes = FRAME_HEADER_BYTES + header.bodyBytes;
  return header.isLast ? frameBytes : frameBytes + FRAME_HEADER_BYTES;
}

/** The frame at `at`, of which `bytes` are there already. */
async function frameAt(handle: FileHandle, record: number, at: number, bytes: Buffer): Promise<Fragment> {
  let there = bytes;
  if (there.length < FRAME_HEADER_BYTES) there = await readAt(handle, at, FRAME_HEADER_BYTES);
  const header = parseFrameHeader(there, 0, at);
  if (header === undefined) throw corrupt(handle, record, at, "no frame begins here");
  const frameBytes = FRAME_HEADER_BYTES + header.bodyBytes;
  if (there.length < frameBytes) there = await readAt(handle, at, withNextHeader(header));
  if (there.length < frameBytes) throw corrupt(handle, record, at, "the file ends inside a frame");
  const body = there.subarray(FRAME_HEADER_BYTES, frameBytes);
  if (frameCrc(at, there, 0, crc32(body)) !== header.crc) {
    throw corrupt(handle, record, at, "the checksum does not match");
  }
  return { header, body, end: at + frameBytes, rest: there.subarray(frameBytes) };
}

async function readAt(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length);
  return buffer.subarray(0, await readFully(handle, buffer, 0, length, position));
}

function corrupt(handle: FileHandle, offset: number, at: number, reason: string): CkptError {
  return new CkptError("CKPT_CORRUPT", {
    message: `The record at ${offset} of ${handle.path} is damaged: ${reason} (at ${at})`,
    hint: "Restore an older checkpoint or read from a mirror; do not delete the file.",
    details: { path: handle.path, offset, at, reason },
  });
}

function tooLong(handle: FileHandle, offset: number, maxBytes: number): CkptError {
  return new CkptError("CKPT_LIMIT", {
    message: `The record at ${offset} of ${handle.path} is longer than ${maxBytes} bytes`,
    hint: "Read it with streamRecord, or raise maxBytes.",
    details: { path: handle.path, offset, maxBytes },
  });
}
