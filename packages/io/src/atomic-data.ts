import { CkptError } from "@ckpt/errors";

/** What {@link writeAtomic} writes. A function gives the stream anew for each try; a bare stream can be read only once. */
export type AtomicData =
  | string
  | Uint8Array
  | AsyncIterable<Uint8Array>
  | (() => Iterable<Uint8Array> | AsyncIterable<Uint8Array>);

/** The data of an atomic write, as something that may be read once or many times. */
export class DataSource {
  readonly #data: AtomicData;
  #isSpent = false;
  readonly totalBytes: number | undefined;

  /** Throws `CKPT_INVALID_ARGUMENT` for what is no data. */
  constructor(data: AtomicData) {
    if (!isData(data))
      throw new CkptError("CKPT_INVALID_ARGUMENT", {
        message: "What to write is no text, no bytes and no stream of bytes",
        hint: "Give a string, a Uint8Array, an async iterable of them, or a function that makes one; turn an object into text with JSON.stringify.",
        details: { argument: "data" },
      });
    this.#data = typeof data === "string" ? new TextEncoder().encode(data) : data;
    this.totalBytes = this.#data instanceof Uint8Array ? this.#data.length : undefined;
  }

  /** Whether another try would find nothing to read. */
  get isSpent(): boolean {
    return this.#isSpent;
  }

  open(): Iterable<Uint8Array> | AsyncIterable<Uint8Array> {
    const data = this.#data;
    if (data instanceof Uint8Array) return [data];
    if (typeof data === "function") return data();
    this.#isSpent = true;
    return data as AsyncIterable<Uint8Array>;
  }
}

function isData(data: unknown): boolean {
  if (typeof data === "string" || typeof data === "function") return true;
  return (
    typeof data === "object" && data !== null && (Symbol.iterator in data || Symbol.asyncIterator in data)
  );
}
