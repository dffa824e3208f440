import { untilAborted } from "@ckpt/core";

/**
 * Restores on their way to `apply`. What is captured of the live state meanwhile is the state that is being left, and would become the
 * head behind the restore: such a capture waits until `apply` was called. What is captured inside `apply` does not wait.
 */
export class RestoresUnderWay {
  readonly #open = new Set<Promise<void>>();

  /** Begins one. The function that is returned ends it: once `apply` was called, or the restore has failed. */
  begin(): () => void {
    let resolve = (): void => {};
    const over = new Promise<void>((done) => {
      resolve = done;
    });
    this.#open.add(over);
    return () => {
      this.#open.delete(over);
      resolve();
    };
  }

  /**
   * Resolves when those that are under way now are over, whatever begins after them; undefined when there is none. Rejects with
   * `CKPT_ABORTED` when `signal` fires first.
   */
  settled(signal: AbortSignal | undefined): Promise<unknown> | undefined {
    if (this.#open.size === 0) return undefined;
    const settled = Promise.all(this.#open);
    return signal === undefined
      ? settled
      : untilAborted(signal, "A call that waited for a restore", () => settled);
  }
}
