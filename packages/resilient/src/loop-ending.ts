import type { LoopEnd, LoopSettings } from "./loop-options.js";

const SIGNALS = ["SIGTERM", "SIGINT"] as const;

/** Whether the loop is to end, and why: the caller's signal, the process's signals, or the step itself. */
export class LoopEnding {
  readonly #controller = new AbortController();
  readonly #settings: LoopSettings;
  readonly #undo: (() => void)[] = [];
  #reason: LoopEnd | undefined;
  #leftStepBehind = false;

  constructor(settings: LoopSettings) {
    this.#settings = settings;
    const { signal } = settings;
    const onAbort = () => this.end("aborted");
    if (signal?.aborted) this.end("aborted");
    signal?.addEventListener("abort", onAbort, { once: true });
    this.#undo.push(() => signal?.removeEventListener("abort", onAbort));
    if (!settings.handleSignals) return;
    for (const name of SIGNALS) {
      // Once: a second one, while the final checkpoint is under way, ends the process as it always does.
      const onSignal = () => this.end(name);
      process.once(name, onSignal);
      this.#undo.push(() => process.removeListener(name, onSignal));
    }
  }

  get reason(): LoopEnd | undefined {
    return this.#reason;
  }

  /** Fires when the loop is to end. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** A step was still under way when its grace ended. */
  get leftStepBehind(): boolean {
    return this.#leftStepBehind;
  }

  end(reason: LoopEnd): void {
    this.#reason ??= reason;
    // A step that stops the loop itself is about to return: it needs no word, and no grace.
    if (reason !== "stopped" && reason !== "max-steps") this.#controller.abort();
  }

  /** Waits for a step; once the loop is to end, no longer than the grace. What a step left behind does later is ignored. */
  async orGrace(step: Promise<unknown>): Promise<void> {
    const { clock, graceMs } = this.#settings;
    let settled = false;
    const done = step.finally(() => {
      settled = true;
    });
    const over = new AbortController();
    const grace = (async () => {
      await aborted(this.signal, over.signal);
      if (!over.signal.aborted) await clock.sleep(graceMs, over.signal);
      if (!settled && !over.signal.aborted) this.#leftStepBehind = true;
    })();
    try {
      await Promise.race([done, grace]);
      if (this.#leftStepBehind) done.catch(() => {});
    } finally {
      over.abort();
    }
  }

  dispose(): void {
    for (const undo of this.#undo.splice(0)) undo();
  }
}

/** Resolves when either fires. */
function aborted(signal: AbortSignal, other: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted || other.aborted) return resolve();
    const done = () => {
      signal.removeEventListener("abort", done);
      other.removeEventListener("abort", done);
      resolve();
    };
    signal.addEventListener("abort", done);
    other.addEventListener("abort", done);
  });
}
