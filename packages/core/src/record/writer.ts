import { HEADER_BYTES, LENGTH_BYTES, RAW_FLAG, RECORD_VERSION } from "./format.js";
import { addPieceParts, type Piece, rememberHash } from "./piece.js";

const CHUNK_BYTES = 65_536;
const LARGEST_CHUNK_BYTES = 1_048_576;
/** UTF-8 takes at most three bytes for a UTF-16 unit. */
const MAX_BYTES_PER_UNIT = 3;

/** Gathers what a record is made of into chunks. A chunk, once handed over, is never touched again. */
export class RecordWriter {
  private buffer: Buffer;
  private used = 0;
  /** The text of the piece at hand. */
  private readonly parts: string[] = [];
  private readonly keepsHashes: boolean;

  /** `expectedBytes` sizes the first chunk, so that a small record costs a small buffer. `keepsHashes`: of the pieces, for the state's hash. */
  constructor(expectedBytes: number, keepsHashes: boolean) {
    this.keepsHashes = keepsHashes;
    this.buffer = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, Math.ceil(expectedBytes * 1.5) + 512));
  }

  /** Writes the record's header and structure, which nothing comes before; false when the structure must follow as {@link bytes}. */
  begin(kind: number, structure: string, pieces: number): boolean {
    const fits = HEADER_BYTES + structure.length * MAX_BYTES_PER_UNIT <= this.buffer.length;
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
    const { parts } = this;
    parts.length = 0;
    addPieceParts(piece, parts);
    if (!fitsInto(room, parts)) return false;
    const start = this.used + LENGTH_BYTES;
    let end = start;
    for (let i = 0; i < parts.length; i++) end += this.buffer.write(parts[i]!, end);
    this.length(end - start, 0);
    this.used = end;
    if (this.keepsHashes) rememberHash(piece, this.buffer.subarray(start, end));
    return true;
  }

  /** Writes the piece that did not fit just now. */
  *outgrown(piece: Piece): Generator<Uint8Array, void, undefined> {
    const raw = piece.kind === "raw";
    const bytes = raw ? piece.bytes : Buffer.from(this.parts.join(""));
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
    if (bytes.length < CHUNK_BYTES) {
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

  private *flush(): Generator<Uint8Array, void, undefined> {
    yield* this.finish();
    this.buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES);
    this.used = 0;
  }

  private length(count: number, flag: number): void {
    this.buffer.writeUInt32LE((count | flag) >>> 0, this.used);
    this.used += LENGTH_BYTES;
  }
}

function fitsInto(room: number, parts: readonly string[]): boolean {
  let units = 0;
  for (let i = 0; i < parts.length; i++) units += parts[i]!.length;
  return (
    units * MAX_BYTES_PER_UNIT <= room ||
    parts.reduce((sum, part) => sum + Buffer.byteLength(part), 0) <= room
  );
}
