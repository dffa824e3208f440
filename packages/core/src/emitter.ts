import { isThenable, onRejection } from "./thenable.js";

/**
 * Typed events, called synchronously in the order of subscription. A listener that throws, or whose promise
 * rejects, hurts neither the emitter's owner nor the other listeners: the failure goes to `onFailure`.
 */
export class Emitter<Events extends object> {
  // Keyed by any name, so that an emitter of more events can stand in for one of fewer.
  readonly #listeners = new Map<PropertyKey, Set<{ call: (payload: never) => unknown }>>();
  readonly #onFailure: (event: PropertyKey, error: unknown) => void;

  constructor(onFailure: (event: PropertyKey, error: unknown) => void) {
    this.#onFailure = onFailure;
  }

  /** Subscribes; the same function twice is two subscriptions. The returned function ends this one. */
  on<K extends keyof Events>(event: K, listener: (payload: Events[K]) => unknown): () => void {
    const entry = { call: listener as (payload: never) => unknown };
    const entries = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, entries.add(entry));
    return () => {
      entries.delete(entry);
    };
  }

  /** Calls those who were subscribed when it began. Never throws. */
  emit<K extends keyof Events>(event: K, payload: Events[K]): void {
    const entries = this.#listeners.get(event);
    if (entries === undefined || entries.size === 0) return;
    for (const entry of [...entries]) {
      try {
        const result = entry.call(payload as never);
        if (isThenable(result)) onRejection(result, (error) => this.#onFailure(event, error));
      } catch (error) {
        this.#onFailure(event, error);
      }
    }
  }

  /** Whether anyone listens; spares the making of a payload. */
  has(event: keyof Events): boolean {
    return (this.#listeners.get(event)?.size ?? 0) > 0;
  }

  clear(): void {
    this.#listeners.clear();
  }
}
