import { corrupt } from "../state/corrupt.js";
import {
  HEADER_BYTES,
  LENGTH_BYTES,
  MAX_PIECE_BYTES,
  RAW_FLAG,
  RECORD_VERSION,
  type Structure,
} from "./format.js";
import { decodeText } from "./text.js";

/** What a parser hands over, in the order in which it arrives. The bytes are the consumer's to keep. */
export interface RecordConsumer {
  structure(structure: Structure): void;
  piece(bytes: Uint8Array, raw: boolean): void;
}

/**
 * The push parser of one record: bytes come in any portions. It keeps no more than the part that is still incomplete, and
 * never allocates for bytes that a length only promises. Throws `CKPT_CORRUPT` as soon as something cannot be right.
 */
export class RecordParser {
  private readonly parts: Uint8Array[] = [];
  private gathered = 0;
  private needed = HEADER_BYTES;
  private stage: "header" | "structure" | "length" | "piece" | "end" = "header";
  private pieces = 0;
  private raw = false;

  constructor(
    private readonly kind: number,
    private readonly consumer: RecordConsumer,
  ) {}

  /** `isKept`: nobody changes the bytes after the call. */
  push(portion: Uint8Array, isKept: boolean): void {
    // Without a promise, one copy, which the pieces then share: the caller may use its buffer again.
    const bytes = isKept ? portion : Buffer.from(portion);
    for (let offset = 0; ; ) {
      if (this.stage === "end") {
        if (offset < bytes.length)
          throw corrupt("A record has bytes after its end.", { bytes: bytes.length - offset });
        return;
      }
      const end = offset + this.needed - this.gathered;
      if (bytes.length < end) {
        if (offset < bytes.length) {
          this.parts.push(bytes.subarray(offset));
          this.gathered += bytes.length - offset;
        }
        return;
      }
      if (this.parts.length === 0) this.take(bytes, offset, end);
      else this.take(this.joined(bytes.subarray(offset, end)), 0, this.needed);
      offset = end;
    }
  }

  /** The record must be complete. */
  end(): void {
    if (this.stage !== "end") throw corrupt("A record ends before its time.", { in: this.stage });
  }

  private joined(rest: Uint8Array): Uint8Array {
    this.parts.push(rest);
    const whole = Buffer.concat(this.parts, this.needed);
    this.parts.length = 0;
    this.gathered = 0;
    return whole;
  }

  /** The part that was waited for: `bytes` from `start` to `end`. */
  private take(bytes: Uint8Array, start: number, end: number): void {
    if (this.stage === "piece") {
      this.consumer.piece(bytes.subarray(start, end), this.raw);
      this.next();
    } else if (this.stage === "length") {
      this.length(readU32(bytes, start));
    } else if (this.stage === "structure") {
      this.consumer.structure(parseJson(decodeText(bytes.subarray(start, end)), "structure") as Structure);
      this.next();
    } else this.header(bytes, start);
  }

  private header(bytes: Uint8Array, at: number): void {
    const [version, kind] = [bytes[at]!, bytes[at + 1]!];
    if (version !== RECORD_VERSION) throw corrupt(`A record of the unknown version ${version}.`, { version });
    if (kind !== this.kind) throw corrupt("A record is not of the expected kind.", { kind });
    this.pieces = readU32(bytes, at + 6);
    this.stage = "structure";
    this.expect(readU32(bytes, at + 2));
  }

  private length(word: number): void {
    this.raw = word >= RAW_FLAG;
    this.stage = "piece";
    this.expect(this.raw ? word - RAW_FLAG : word);
  }

  private next(): void {
    this.stage = this.pieces === 0 ? "end" : "length";
    this.pieces--;
    this.needed = LENGTH_BYTES;
  }

  private expect(count: number): void {
    if (count === 0 || count > MAX_PIECE_BYTES) {
      if (!(count === 0 && this.raw))
        throw corrupt("A record announces a part of an impossible length.", { count });
    }
    this.needed = count;
  }
}

/** Little endian. A view for each number would cost more than what is read through it. */
function readU32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
}

/** Parses stored JSON text. */
export function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw corrupt(`The ${what} of a record is not valid JSON text.`, { characters: text.length }, cause);
  }
}
