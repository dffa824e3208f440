import { CkptError } from "@ckpt/errors";
import { throwIfAborted } from "./abort.js";
import { InFlight } from "./in-flight.js";

/** The calls under way on something that can be closed: refuses new ones once it is, and lets the close wait for the rest. */
export class OpenCalls {
  readonly #what: string;
  readonly #running = new InFlight();
  #closed = false;

  /** `what` names the owner in errors. */
  constructor(what: string) {
    this.#what = what;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /**
   * Runs one call; rejects with `CKPT_CLOSED` or `CKPT_ABORTED` without starting it. `operation` is started before this returns, so that
   * it can capture synchronously.
   */
  async run<T>(call: string, signal: AbortSignal | undefined, operation: () => T | Promise<T>): Promise<T> {
    if (this.#closed)
      throw new CkptError("CKPT_CLOSED", {
        message: `The ${this.#what} is closed; ${call} was called after close().`,
        hint: `Open a new ${this.#what}.`,
        details: { call },
      });
    throwIfAborted(signal, call);
    this.#running.begin();
    try {
      return await operation();
    } finally {
      this.#running.end();
    }
  }

  /** Refuses calls from now on; resolves when those under way have settled. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#running.idle();
  }
}
