/**
 * The frame: a 40-byte header, then the body; little endian. docs/format.md has the layout for readers in other
 * languages.
 *
 *  0  u32  magic "CKPF"
 *  4  u32  body length
 *  8  u8   kind
 *  9  u8   codec
 * 10  u16  flags: 1 = first fragment, 2 = last fragment of a record
 * 12  u64  acked
 * 20  16B  chain: SHA-256 of (previous chain, bytes 0..20, CRC-32 of the body), first 16 bytes
 * 36  u32  CRC-32 of (the frame's offset in its file as u64, bytes 0..36, CRC-32 of the body)
 *
 * The checksum covers the offset, so that a copy of a frame inside another frame's body, or moved to another place,
 * never passes for a frame there: resynchronising after damage cannot land inside a body that holds log bytes.
 */
import { CkptError } from "@ckpt/errors";
import { crc32 } from "./crc32.js";
import { sha256 } from "./sha256.js";

export const FRAME_HEADER_BYTES = 40;
/** The longest body of one frame, in bytes: a longer record has several. A greater length is not a frame. */
export const MAX_FRAME_BODY_BYTES = 16 * 1024 * 1024;
/** The length of a chain value, in bytes. */
export const FRAME_CHAIN_BYTES = 16;
/** The chain before the first frame of a log, where the owner gives none. */
export const ZERO_CHAIN: Uint8Array = new Uint8Array(FRAME_CHAIN_BYTES);

export const FRAME_MAGIC: Uint8Array = new Uint8Array([0x43, 0x4b, 0x50, 0x46]);
const MAGIC = 0x46504b43;
export const FIRST_FRAGMENT = 1;
export const LAST_FRAGMENT = 2;
const U32 = 0x1_0000_0000;

/** What a header says. `chain` is a copy. */
export interface FrameHeader {
  readonly bodyBytes: number;
  readonly kind: number;
  readonly codec: number;
  readonly isFirst: boolean;
  readonly isLast: boolean;
  readonly acked: number;
  readonly chain: Uint8Array;
  readonly crc: number;
}

/** What {@link writeFrameHeader} needs. */
export interface FrameFields {
  /** Where the frame stands in its file. */
  readonly offset: number;
  readonly kind: number;
  readonly codec: number;
  readonly flags: number;
  readonly acked: number;
  readonly bodyBytes: number;
  /** CRC-32 of the body. */
  readonly bodyCrc: number;
}

// Encoding never waits between filling these and reading them, so one of each serves all.
const chainInput = Buffer.alloc(FRAME_CHAIN_BYTES + 24);
const crcInput = Buffer.alloc(8 + 36 + 4);

function writeU64(target: Buffer, value: number, at: number): void {
  target.writeUInt32LE(value % U32, at);
  target.writeUInt32LE(Math.floor(value / U32), at + 4);
}

/** A u64 as a Number, or undefined above 2^53 - 1. */
function readU64(bytes: Buffer, at: number): number | undefined {
  const high = bytes.readUInt32LE(at + 4);
  return high < 0x20_0000 ? high * U32 + bytes.readUInt32LE(at) : undefined;
}

/** The chain value of a frame: over the one before it, the first 20 bytes of its header, and its body's CRC-32. */
export function chainAfter(
  previous: Uint8Array,
  header: Uint8Array,
  at: number,
  bodyCrc: number,
): Uint8Array {
  chainInput.set(previous, 0);
  for (let i = 0; i < 20; i++) chainInput[FRAME_CHAIN_BYTES + i] = header[at + i]!;
  chainInput.writeUInt32LE(bodyCrc, FRAME_CHAIN_BYTES + 20);
  return sha256(chainInput).subarray(0, FRAME_CHAIN_BYTES);
}

/** The checksum of a frame at `offset` whose header stands at `at` of `header`. */
export function frameCrc(offset: number, header: Uint8Array, at: number, bodyCrc: number): number {
  writeU64(crcInput, offset, 0);
  for (let i = 0; i < 36; i++) crcInput[8 + i] = header[at + i]!;
  crcInput.writeUInt32LE(bodyCrc, 44);
  return crc32(crcInput);
}

/** Writes a header into `target` at `at` and returns the frame's chain value. */
export function writeFrameHeader(
  target: Buffer,
  at: number,
  fields: FrameFields,
  previous: Uint8Array,
): Uint8Array {
  target.writeUInt32LE(MAGIC, at);
  target.writeUInt32LE(fields.bodyBytes, at + 4);
  target[at + 8] = fields.kind;
  target[at + 9] = fields.codec;
  target.writeUInt16LE(fields.flags, at + 10);
  writeU64(target, fields.acked, at + 12);
  const chain = chainAfter(previous, target, at, fields.bodyCrc);
  target.set(chain, at + 20);
  target.writeUInt32LE(frameCrc(fields.offset, target, at, fields.bodyCrc), at + 36);
  return chain;
}

/**
 * The header at `at`, if it can be one: magic, a length within the limit, flags that exist, and an `acked` that is
 * not above the frame's own `offset`. Says nothing about the checksum.
 */
export function parseFrameHeader(bytes: Buffer, at: number, offset: number): FrameHeader | undefined {
  if (at + FRAME_HEADER_BYTES > bytes.length || bytes.readUInt32LE(at) !== MAGIC) return undefined;
  const bodyBytes = bytes.readUInt32LE(at + 4);
  const flags = bytes.readUInt16LE(at + 10);
  const acked = readU64(bytes, at + 12);
  if (bodyBytes > MAX_FRAME_BODY_BYTES || flags > 3 || acked === undefined || acked > offset)
    return undefined;
  return {
    bodyBytes,
    kind: bytes[at + 8]!,
    codec: bytes[at + 9]!,
    isFirst: (flags & FIRST_FRAGMENT) !== 0,
    isLast: (flags & LAST_FRAGMENT) !== 0,
    acked,
    chain: Uint8Array.prototype.slice.call(bytes, at + 20, at + 36),
    crc: bytes.readUInt32LE(at + 36),
  };
}

/** A whole frame in memory, as {@link encodeFrame} takes it. */
export interface FrameInit {
  /** Where the frame will stand in its file, in bytes; default 0. */
  readonly offset?: number;
  /** The owner's meaning, 0 to 255. */
  readonly kind: number;
  /** How the body is coded, 0 to 255; default 0, plain. */
  readonly codec?: number;
  readonly isFirst?: boolean;
  readonly isLast?: boolean;
  /** Every byte of the file below this offset is acknowledged; default 0. */
  readonly acked?: number;
  /** The chain value of the frame before; default {@link ZERO_CHAIN}. */
  readonly previousChain?: Uint8Array;
  readonly body: Uint8Array;
}

/**
 * Encodes one frame. {@link FrameLog} does this by itself; this is for those who write frames in another way.
 * Throws `CKPT_LIMIT` for a body above {@link MAX_FRAME_BODY_BYTES}.
 */
export function encodeFrame(frame: FrameInit): { bytes: Buffer; chain: Uint8Array } {
  if (frame.body.length > MAX_FRAME_BODY_BYTES) {
    throw new CkptError("CKPT_LIMIT", {
      message: `A frame's body of ${frame.body.length} bytes is above the limit of ${MAX_FRAME_BODY_BYTES}`,
      hint: "Split the record into several fragments.",
      details: { bodyBytes: frame.body.length, maxBytes: MAX_FRAME_BODY_BYTES },
    });
  }
  const bytes = Buffer.allocUnsafe(FRAME_HEADER_BYTES + frame.body.length);
  bytes.set(frame.body, FRAME_HEADER_BYTES);
  const fields: FrameFields = {
    offset: frame.offset ?? 0,
    kind: frame.kind,
    codec: frame.codec ?? 0,
    flags: (frame.isFirst === false ? 0 : FIRST_FRAGMENT) | (frame.isLast === false ? 0 : LAST_FRAGMENT),
    acked: frame.acked ?? 0,
    bodyBytes: frame.body.length,
    bodyCrc: crc32(frame.body),
  };
  const chain = writeFrameHeader(bytes, 0, fields, frame.previousChain ?? ZERO_CHAIN);
  return { bytes, chain };
}
