import { CkptError } from "@ckpt/errors";

/** The bytes of a record: at once, or lazily in chunks of any length. They must not change until the append resolves. */
export type RecordBody = Uint8Array | Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

/** One record to append. */
export interface LogRecord {
  /** The owner's meaning, 0 to 255. */
  readonly kind: number;
  /** How the body is coded, 0 to 255; default 0, plain. */
  readonly codec?: number;
  readonly body: RecordBody;
}

/** Where a record stands, once it is durable. */
export interface AppendReceipt {
  readonly offset: number;
  /** Bytes in the file, headers included. */
  readonly length: number;
  /** Where the record's last frame begins. */
  readonly lastFrame: number;
  /** The chain value after the record. */
  readonly chain: Uint8Array;
}

/** A record on its way into the log: pulls its body chunk by chunk into one fragment at a time. */
export class PendingRecord {
  readonly kind: number;
  readonly codec: number;
  readonly resolve: (receipt: AppendReceipt) => void;
  readonly reject: (error: unknown) => void;
  /** Where its first frame stands; -1 before it has one. */
  offset = -1;
  /** The chunks of the fragment being put together. */
  chunks: Uint8Array[] = [];
  fragmentBytes = 0;
  fragments = 0;
  #ended = false;
  #excess: Uint8Array | undefined;
  /** A body that is a list is walked by index: that leaves no objects behind. */
  readonly #list: readonly Uint8Array[] | undefined;
  #next = 0;
  readonly #source: Iterator<Uint8Array> | undefined;
  readonly #asyncSource: AsyncIterator<Uint8Array> | undefined;

  constructor(
    record: LogRecord,
    resolve: (receipt: AppendReceipt) => void,
    reject: (error: unknown) => void,
  ) {
    this.kind = byte(record.kind, "kind");
    this.codec = byte(record.codec ?? 0, "codec");
    this.resolve = resolve;
    this.reject = reject;
    const { body } = record;
    if (typeof body !== "object" || body === null) throw invalid("body", "the body has no bytes");
    if (body instanceof Uint8Array) {
      this.#excess = body;
      this.#ended = true;
    } else if (Array.isArray(body)) this.#list = body;
    else if (Symbol.asyncIterator in body) this.#asyncSource = body[Symbol.asyncIterator]();
    else this.#source = body[Symbol.iterator]();
  }

  /** Whether the fragment that was filled last is the record's last. */
  get isComplete(): boolean {
    return this.#ended && this.#excess === undefined;
  }

  /** Gathers the next fragment, at most `maxBytes`; a promise only where the body makes one wait. */
  fill(maxBytes: number): undefined | Promise<undefined> {
    this.chunks = [];
    this.fragmentBytes = 0;
    const excess = this.#excess;
    this.#excess = undefined;
    if (excess !== undefined) this.#take(excess, maxBytes);
    if (this.#asyncSource !== undefined) return this.#fillLater(this.#asyncSource, maxBytes);
    // Going on until there is an excess (or the end) tells whether this fragment is the last.
    while (this.#needsMore()) {
      if (this.#list === undefined) this.#accept(this.#source!.next(), maxBytes);
      else if (this.#next === this.#list.length) this.#ended = true;
      else this.#takeValid(this.#list[this.#next++], maxBytes);
    }
    return undefined;
  }

  /** Lets the body's source free what it holds. */
  abandon(): void {
    const hadEnded = this.#ended;
    this.#ended = true;
    this.#excess = undefined;
    this.chunks = [];
    if (hadEnded) return;
    // The record has failed with its own error already; what the source says while it is closed adds nothing.
    const close = async () => {
      this.#source?.return?.();
      await this.#asyncSource?.return?.();
    };
    void close().catch(() => undefined);
  }

  async #fillLater(source: AsyncIterator<Uint8Array>, maxBytes: number): Promise<undefined> {
    while (this.#needsMore()) this.#accept(await source.next(), maxBytes);
    return undefined;
  }

  #needsMore(): boolean {
    return !this.#ended && this.#excess === undefined;
  }

  #accept(result: IteratorResult<Uint8Array>, maxBytes: number): void {
    if (result.done === true) this.#ended = true;
    else this.#takeValid(result.value, maxBytes);
  }

  #takeValid(chunk: unknown, maxBytes: number): void {
    if (chunk instanceof Uint8Array) this.#take(chunk, maxBytes);
    else throw invalid("body", "a chunk of a record's body is not a Uint8Array");
  }

  #take(chunk: Uint8Array, maxBytes: number): void {
    const room = maxBytes - this.fragmentBytes;
    const part = chunk.length > room ? chunk.subarray(0, room) : chunk;
    if (part.length > 0) {
      this.chunks.push(part);
      this.fragmentBytes += part.length;
    }
    if (chunk.length > room) this.#excess = chunk.subarray(room);
  }
}

function byte(value: number, name: string): number {
  if (Number.isInteger(value) && value >= 0 && value <= 255) return value;
  throw invalid(name, `a record's ${name} must be a whole number from 0 to 255`);
}

function invalid(argument: string, message: string): CkptError {
  return new CkptError("CKPT_INVALID_ARGUMENT", {
    message: `Cannot append: ${message}`,
    hint: "Pass what FrameLog.append documents; nothing of this record was kept.",
    details: { argument },
  });
}
