const FIRST_BYTES = 4096;

/** Copies of short pieces, one after another, in a buffer that grows with them up to `maxBytes` and is used again. */
export class GatheredBytes {
  readonly #maxBytes: number;
  #buffer = Buffer.alloc(0);
  length = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Adds a piece that there is room for; returns the new length. */
  add(piece: Uint8Array): number {
    const length = this.length + piece.length;
    if (length > this.#buffer.length) this.#grow(length);
    this.#buffer.set(piece, this.length);
    this.length = length;
    return length;
  }

  /** All of it, good until the next `add`; what follows begins anew. */
  take(): Uint8Array {
    const all = this.#buffer.subarray(0, this.length);
    this.length = 0;
    return all;
  }

  #grow(length: number): void {
    const former = this.#buffer;
    const doubled = Math.max(length, 2 * former.length, FIRST_BYTES);
    this.#buffer = Buffer.allocUnsafeSlow(Math.min(doubled, this.#maxBytes));
    this.#buffer.set(former.subarray(0, this.length));
  }
}
