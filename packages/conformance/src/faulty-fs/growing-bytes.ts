const NONE = new Uint8Array(0);

/** Bytes that grow, with zeros where nothing was written. */
export class GrowingBytes {
  #buffer: Uint8Array;
  #length: number;
  /** The buffer belongs to others as well until the next change: most files of a disk that is copied are only read. */
  #isShared = true;

  /** @param bytes must not change any more. */
  constructor(bytes: Uint8Array = NONE) {
    this.#buffer = bytes;
    this.#length = bytes.length;
  }

  get length(): number {
    return this.#length;
  }

  /** The bytes themselves, not a copy. */
  view(start = 0, end = this.#length): Uint8Array {
    return this.#buffer.subarray(Math.min(start, this.#length), Math.min(end, this.#length));
  }

  /** The bytes as they are now; what changes from now on changes a copy. */
  frozen(): Uint8Array {
    this.#isShared = true;
    return this.view();
  }

  write(position: number, bytes: Uint8Array): void {
    this.growTo(position + bytes.length);
    this.#own();
    this.#buffer.set(bytes, position);
  }

  /** Makes it at least this long. */
  growTo(length: number): void {
    if (length <= this.#length) return;
    if (length > this.#buffer.length) this.#moveTo(Math.max(length, this.#buffer.length * 2));
    else this.#own();
    this.#length = length;
  }

  truncate(length: number): void {
    if (length >= this.#length) {
      this.growTo(length);
      return;
    }
    this.#own();
    this.#buffer.fill(0, length, this.#length);
    this.#length = length;
  }

  #own(): void {
    if (this.#isShared) this.#moveTo(this.#buffer.length);
  }

  #moveTo(capacity: number): void {
    const buffer = new Uint8Array(capacity);
    buffer.set(this.view());
    this.#buffer = buffer;
    this.#isShared = false;
  }
}
