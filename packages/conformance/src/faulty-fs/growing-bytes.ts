/** Bytes that grow, with zeros where nothing was written. */
export class GrowingBytes {
  #buffer: Uint8Array;
  #length: number;

  constructor(bytes: Uint8Array = new Uint8Array(0)) {
    this.#buffer = bytes.slice();
    this.#length = bytes.length;
  }

  get length(): number {
    return this.#length;
  }

  /** The bytes themselves, not a copy. */
  view(start = 0, end = this.#length): Uint8Array {
    return this.#buffer.subarray(Math.min(start, this.#length), Math.min(end, this.#length));
  }

  write(position: number, bytes: Uint8Array): void {
    this.growTo(position + bytes.length);
    this.#buffer.set(bytes, position);
  }

  /** Makes it at least this long. */
  growTo(length: number): void {
    if (length <= this.#length) return;
    if (length > this.#buffer.length) {
      const larger = new Uint8Array(Math.max(length, this.#buffer.length * 2));
      larger.set(this.view());
      this.#buffer = larger;
    }
    this.#length = length;
  }

  truncate(length: number): void {
    if (length >= this.#length) {
      this.growTo(length);
      return;
    }
    this.#buffer.fill(0, length, this.#length);
    this.#length = length;
  }
}
