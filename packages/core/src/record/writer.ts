import { HEADER_BYTES, LENGTH_BYTES, RAW_FLAG, RECORD_VERSION } from "./format.js";
import { type Piece, pieceText, rememberHash } from "./piece.js";

const CHUNK_BYTES = 65_536;
const LARGEST_CHUNK_BYTES = 1_048_576;
/** UTF-8 takes at most three bytes for a UTF-16 unit. */
const MAX_BYTES_PER_UNIT = 3;

/** Gathers what a record is made of into chunks. A chunk, once handed over, is never touched again. */
export class RecordWriter {
  private chunk: Buffer;
  private used = 0;
  private text = "";
  private readonly keepsHashes: boolean;

  /** `expectedBytes` sizes the first chunk, so that a small record costs a small buffer. `keepsHashes`: of the pieces, for the state's hash. */
  constructor(expectedBytes: number, keepsHashes: boolean) {
    this.keepsHashes = keepsHashes;
    this.chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, Math.ceil(expectedBytes * 1.5) + 512));
  }

  /** Writes the record's header and structure, which nothing comes before. */
  *start(kind: number, structure: string, pieces: number): Generator<Uint8Array, void, undefined> {
    const fits = HEADER_BYTES + structure.length * MAX_BYTES_PER_UNIT <= this.chunk.length;
    const length = fits ? this.chunk.write(structure, HEADER_BYTES) : Buffer.byteLength(structure);
    this.chunk[0] = RECORD_VERSION;
    this.chunk[1] = kind;
    this.chunk.writeUInt32LE(length, 2);
    this.chunk.writeUInt32LE(pieces, 6);
    this.used = HEADER_BYTES + (fits ? length : 0);
    if (!fits) yield* this.bytes(Buffer.from(structure));
  }

  /** Writes a piece into the current chunk; false when it may not fit and must go through {@link outgrown}. */
  fits(piece: Piece): boolean {
    const room = this.chunk.length - this.used - LENGTH_BYTES;
    if (piece.kind === "raw") {
      if (piece.bytes.length > room) return false;
      this.length(piece.bytes.length, RAW_FLAG);
      this.chunk.set(piece.bytes, this.used);
      this.used += piece.bytes.length;
      return true;
    }
    this.text = pieceText(piece);
    if (this.text.length * MAX_BYTES_PER_UNIT > room && Buffer.byteLength(this.text) > room) return false;
    const start = this.used + LENGTH_BYTES;
    const count = this.chunk.write(this.text, start);
    this.length(count, 0);
    this.used += count;
    if (this.keepsHashes) rememberHash(piece, this.chunk.subarray(start, start + count));
    return true;
  }

  /** Writes the piece that did not fit just now. */
  *outgrown(piece: Piece): Generator<Uint8Array, void, undefined> {
    const raw = piece.kind === "raw";
    const bytes = raw ? piece.bytes : Buffer.from(this.text);
    this.text = "";
    if (this.chunk.length - this.used < LENGTH_BYTES) yield* this.flush();
    this.length(bytes.length, raw ? RAW_FLAG : 0);
    yield* this.bytes(bytes);
    if (!raw && this.keepsHashes) rememberHash(piece, bytes);
  }

  /** Copies bytes, or hands long ones over in parts as they are: they are nobody's to change. */
  *bytes(bytes: Uint8Array): Generator<Uint8Array, void, undefined> {
    if (bytes.length <= this.chunk.length - this.used) {
      this.chunk.set(bytes, this.used);
      this.used += bytes.length;
      return;
    }
    yield* this.flush();
    if (bytes.length < CHUNK_BYTES) {
      this.chunk.set(bytes, 0);
      this.used = bytes.length;
      return;
    }
    for (let i = 0; i < bytes.length; i += LARGEST_CHUNK_BYTES)
      yield bytes.subarray(i, i + LARGEST_CHUNK_BYTES);
  }

  /** Hands over what is left. */
  *finish(): Generator<Uint8Array, void, undefined> {
    if (this.used > 0) yield this.chunk.subarray(0, this.used);
  }

  private *flush(): Generator<Uint8Array, void, undefined> {
    yield* this.finish();
    this.chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
    this.used = 0;
  }

  private length(count: number, flag: number): void {
    this.chunk.writeUInt32LE((count | flag) >>> 0, this.used);
    this.used += LENGTH_BYTES;
  }
}
