import type { CheckpointStore, Lease } from "@ckpt/core";
import type { PlaceHealth } from "./health.js";
import { describeError, isPlaceFailure } from "./place-failure.js";

/** One of several stores under a decorator, and how it is. */
export class Place {
  /** `primary`, `fallback-1`, `mirror-2`: stands in notes, findings and the health report. */
  readonly label: string;
  readonly store: CheckpointStore;
  /** The agents that are held here. */
  readonly leases = new Map<string, Lease>();
  readonly #taking = new Map<string, Promise<Lease>>();
  /** How often it has failed: whoever works on its return learns whether it has failed again meanwhile. */
  failures = 0;
  #since: number | null = null;
  #lastError: unknown;

  constructor(label: string, store: CheckpointStore) {
    this.label = label;
    this.store = store;
  }

  /** Whether it failed and has not come back. */
  get dropped(): boolean {
    return this.#since !== null;
  }

  drop(error: unknown): void {
    this.failures++;
    this.#since ??= Date.now();
    this.#lastError = error;
  }

  restore(): void {
    this.#since = null;
    this.#lastError = undefined;
  }

  /** Takes the agent here, once: two that ask at the same time would be refused for each other's sake. */
  async hold(agentId: string): Promise<Lease> {
    const held = this.leases.get(agentId) ?? this.#taking.get(agentId);
    if (held !== undefined) return held;
    const taking = this.#take(agentId).finally(() => this.#taking.delete(agentId));
    this.#taking.set(agentId, taking);
    return taking;
  }

  async #take(agentId: string): Promise<Lease> {
    const lease = await this.store.acquire(agentId);
    this.leases.set(agentId, lease);
    return lease;
  }

  /** Gives the agent back. A place that fails at it has nothing left to give back. */
  async letGo(agentId: string): Promise<void> {
    // Whoever brings the place back may be taking it at this moment, and would keep it for good.
    await this.#taking.get(agentId)?.catch(() => {});
    const lease = this.leases.get(agentId);
    this.leases.delete(agentId);
    try {
      await lease?.release();
    } catch (error) {
      if (!isPlaceFailure(error)) throw error;
      this.drop(error);
    }
  }

  health(standby: boolean): PlaceHealth {
    return {
      place: this.label,
      state: this.dropped ? "dropped" : standby ? "standby" : "active",
      since: this.#since,
      lastError: this.#lastError === undefined ? null : describeError(this.#lastError),
    };
  }
}
