import { hasRoom } from "./escape.js";
import { HEADER_BYTES, LENGTH_BYTES, RAW_FLAG, RECORD_VERSION } from "./format.js";
import { type JsonPart, joinParts, leastBytes, writeParts } from "./json-parts.js";
import { addPieceParts, type Piece, rememberHash } from "./piece.js";

/** Chunks are longer and longer, up to this many bytes: each costs its consumer a turn, and the heap an allocation. */
const CHUNK_BYTES = 262_144;
const FIRST_CHUNK_BYTES = 65_536;
const LARGEST_CHUNK_BYTES = 1_048_576;

/** Gathers what a record is made of into chunks. A chunk, once handed over, is never touched again. */
export class RecordWriter {
  private buffer: Buffer;
  private used = 0;
  private nextChunkBytes = FIRST_CHUNK_BYTES;
  /** The text of the piece at hand. */
  private readonly parts: JsonPart[] = [];
  private readonly keepsHashes: boolean;

  /** `expectedBytes` sizes the first chunk, so that a small record costs a small buffer. `keepsHashes`: of the pieces, for the state's hash. */
  constructor(expectedBytes: number, keepsHashes: boolean) {
    this.keepsHashes = keepsHashes;
    this.buffer = Buffer.allocUnsafe(Math.min(FIRST_CHUNK_BYTES, Math.ceil(expectedBytes * 1.5) + 512));
  }

  /** Writes the record's header and structure, which nothing comes before; false when the structure must follow as {@link bytes}. */
  begin(kind: number, structure: string, pieces: number): boolean {
    const fits = hasRoom(structure, this.buffer.length - HEADER_BYTES);
    const length = fits ? this.buffer.write(structure, HEADER_BYTES) : Buffer.byteLength(structure);
    this.buffer[0] = RECORD_VERSION;
    this.buffer[1] = kind;
    this.buffer.writeUInt32LE(length, 2);
    this.buffer.writeUInt32LE(pieces, 6);
    this.used = HEADER_BYTES + (fits ? length : 0);
    return fits;
  }

  /** Writes a piece into the current chunk; false when it may not fit and must go through {@link outgrown}. */
  fits(piece: Piece): boolean {
    const room = this.buffer.length - this.used - LENGTH_BYTES;
    if (piece.kind === "raw") {
      if (piece.bytes.length > room) return false;
      this.length(piece.bytes.length, RAW_FLAG);
      this.buffer.set(piece.bytes, this.used);
      this.used += piece.bytes.length;
      return true;
    }
    this.parts.length = 0;
    addPieceParts(piece, this.parts);
    return this.writes(piece);
  }

  /** Writes the piece whose text is at hand; false when it does not fit. */
  private writes(piece: Piece): boolean {
    const start = this.used + LENGTH_BYTES;
    if (start > this.buffer.length) return false;
    const end = writeParts(this.parts, this.buffer, start);
    if (end === -1) return false;
    this.length(end - start, 0);
    this.used = end;
    if (this.keepsHashes) rememberHash(piece, this.buffer.subarray(start, end));
    return true;
  }

  /** Writes the piece that did not fit just now. */
  *outgrown(piece: Piece): Generator<Uint8Array, void, undefined> {
    const raw = piece.kind === "raw";
    if (!raw && leastBytes(this.parts) + LENGTH_BYTES <= this.nextChunkBytes) {
      yield* this.flush();
      if (this.writes(piece)) return;
    }
    const bytes = raw ? piece.bytes : joinParts(this.parts);
    this.parts.length = 0;
    if (this.buffer.length - this.used < LENGTH_BYTES) yield* this.flush();
    this.length(bytes.length, raw ? RAW_FLAG : 0);
    yield* this.bytes(bytes);
    if (!raw && this.keepsHashes) rememberHash(piece, bytes);
  }

  /** Copies bytes, or hands long ones over in parts as they are: they are nobody's to change. */
  *bytes(bytes: Uint8Array): Generator<Uint8Array, void, undefined> {
    if (bytes.length <= this.buffer.length - this.used) {
      this.buffer.set(bytes, this.used);
      this.used += bytes.length;
      return;
    }
    yield* this.flush();
    if (bytes.length <= this.buffer.length) {
      this.buffer.set(bytes, 0);
      this.used = bytes.length;
      return;
    }
    for (let i = 0; i < bytes.length; i += LARGEST_CHUNK_BYTES)
      yield bytes.subarray(i, i + LARGEST_CHUNK_BYTES);
  }

  /** What is in the current chunk. */
  chunk(): Uint8Array {
    return this.buffer.subarray(0, this.used);
  }

  /** Hands over what is left. */
  *finish(): Generator<Uint8Array, void, undefined> {
    if (this.used > 0) yield this.chunk();
  }

  /** Makes room: what was handed over is nobody's to touch, but the rest of its buffer may be the next chunk. */
  private *flush(): Generator<Uint8Array, void, undefined> {
    yield* this.finish();
    const rest = this.buffer.subarray(this.used);
    this.used = 0;
    if (rest.length >= FIRST_CHUNK_BYTES) {
      this.buffer = rest;
      return;
    }
    this.buffer = Buffer.allocUnsafeSlow(this.nextChunkBytes);
    this.nextChunkBytes = Math.min(this.nextChunkBytes * 2, CHUNK_BYTES);
  }

  private length(count: number, flag: number): void {
    this.buffer.writeUInt32LE((count | flag) >>> 0, this.used);
    this.used += LENGTH_BYTES;
  }
}
