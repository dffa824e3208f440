/** The making of chunks beside their writing. */

/**
 * The chunks of `source`, which runs ahead of whoever takes them by about `maxBytes`: while one chunk is written, the next ones are
 * made. An error comes when its turn does; who stops taking stops the source.
 */
export async function* readAhead(
  source: AsyncIterable<Uint8Array>,
  maxBytes: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  const ahead = new Ahead(maxBytes);
  const running = ahead.run(source);
  try {
    for (;;) {
      const chunk = await ahead.take();
      if (chunk === undefined) return;
      yield chunk;
    }
  } finally {
    ahead.stop();
    await running;
  }
}

/** Chunks that are made and not taken yet. */
class Ahead {
  readonly #maxBytes: number;
  #chunks: Uint8Array[] = [];
  #bytes = 0;
  #hasEnded = false;
  #isStopped = false;
  #failure: { readonly error: unknown } | undefined;
  /** Wakes the side that waits for the other: for a chunk, or for room. There is never more than one. */
  #wake: (() => void) | undefined;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Never rejects: what fails is thrown by `take`. */
  async run(source: AsyncIterable<Uint8Array>): Promise<void> {
    try {
      for await (const chunk of source) {
        this.#chunks.push(chunk);
        this.#bytes += chunk.length;
        this.#wake?.();
        while (this.#bytes > this.#maxBytes && !this.#isStopped) await this.#changed();
        if (this.#isStopped) break;
      }
    } catch (error) {
      this.#failure = { error };
    }
    this.#hasEnded = true;
    this.#wake?.();
  }

  async take(): Promise<Uint8Array | undefined> {
    while (this.#chunks.length === 0 && !this.#hasEnded) await this.#changed();
    const chunk = this.#chunks.shift();
    if (chunk !== undefined) {
      this.#bytes -= chunk.length;
      this.#wake?.();
    } else if (this.#failure !== undefined) throw this.#failure.error;
    return chunk;
  }

  stop(): void {
    this.#isStopped = true;
    this.#wake?.();
  }

  #changed(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = undefined;
        resolve();
      };
    });
  }
}
