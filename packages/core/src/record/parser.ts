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

  push(portion: Uint8Array): void {
    // One copy, which the pieces then share: the caller may use its buffer again.
    const bytes = Buffer.from(portion);
    let offset = 0;
    for (;;) {
      if (this.stage === "end") {
        if (offset < bytes.length)
          throw corrupt("A record has bytes after its end.", { bytes: bytes.length - offset });
        return;
      }
      const missing = this.needed - this.gathered;
      if (bytes.length - offset < missing) {
        if (offset < bytes.length) {
          this.parts.push(bytes.subarray(offset));
          this.gathered += bytes.length - offset;
        }
        return;
      }
      const rest = bytes.subarray(offset, offset + missing);
      offset += missing;
      this.take(this.parts.length === 0 ? rest : this.joined(rest));
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

  private take(bytes: Uint8Array): void {
    if (this.stage === "piece") {
      this.consumer.piece(bytes, this.raw);
      this.next();
      return;
    }
    if (this.stage === "structure") {
      this.consumer.structure(parseJson(decodeText(bytes), "structure") as Structure);
      this.next();
      return;
    }
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (this.stage === "header") this.header(view);
    else this.length(view.getUint32(0, true));
  }

  private header(view: DataView): void {
    const version = view.getUint8(0);
    if (version !== RECORD_VERSION) throw corrupt(`A record of the unknown version ${version}.`, { version });
    if (view.getUint8(1) !== this.kind)
      throw corrupt("A record is not of the expected kind.", { kind: view.getUint8(1) });
    this.pieces = view.getUint32(6, true);
    this.stage = "structure";
    this.expect(view.getUint32(2, true));
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

/** Parses stored JSON text. */
export function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw corrupt(`The ${what} of a record is not valid JSON text.`, { characters: text.length }, cause);
  }
}
