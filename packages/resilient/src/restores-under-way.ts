import { untilAborted } from "@ckpt/core";

/**
 * Restores on their way to `apply`, and captures on their way to their turn, in the order of their calls. What is captured of the live
 * state while a restore is under way is the state that is being left, and would become the head behind the restore: such a capture waits
 * until `apply` was called. A restore waits in turn for the captures that were called before it (an async `collect`, or one that
 * waits itself), and for the restores. Each waits for earlier ones only. What is captured inside `apply` does not wait for that restore.
 */
export class RestoresUnderWay {
  readonly #restores = new Set<Promise<void>>();
  readonly #captures = new Set<Promise<void>>();

  /** Begins a restore. The function that is returned ends it: once `apply` was called, or the restore has failed. */
  begin(): () => void {
    return enter(this.#restores);
  }

  /** Runs a restore when those before it are over. `work` calls `end` once `apply` was called, or leaves that to its own end. */
  async inTurn<T>(signal: AbortSignal | undefined, work: (end: () => void) => Promise<T>): Promise<T> {
    const settled = this.allSettled(signal);
    const end = this.begin();
    try {
      if (settled !== undefined) await settled;
      return await work(end);
    } finally {
      end();
    }
  }

  /** Begins a capture that is not there at once. The function that is returned ends it: once its turn was asked for, or it has failed. */
  beginCapture(): () => void {
    return enter(this.#captures);
  }

  /**
   * For a capture: resolves when the restores that are under way now are over, whatever begins after them; undefined when there is
   * none. Rejects with `CKPT_ABORTED` when `signal` fires first.
   */
  settled(signal: AbortSignal | undefined): Promise<unknown> | undefined {
    return over([...this.#restores], signal);
  }

  /** The same for a restore: captures count as well. */
  allSettled(signal: AbortSignal | undefined): Promise<unknown> | undefined {
    return over([...this.#restores, ...this.#captures], signal);
  }
}

function enter(open: Set<Promise<void>>): () => void {
  let resolve = (): void => {};
  const over = new Promise<void>((done) => {
    resolve = done;
  });
  open.add(over);
  return () => {
    open.delete(over);
    resolve();
  };
}

function over(open: readonly Promise<void>[], signal: AbortSignal | undefined): Promise<unknown> | undefined {
  if (open.length === 0) return undefined;
  const settled = Promise.all(open);
  return signal === undefined
    ? settled
    : untilAborted(signal, "A call that waited for those before it", () => settled);
}
