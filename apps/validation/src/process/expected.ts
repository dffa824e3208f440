import type { CheckpointStore } from "@ckpt/core";

/** How sure it is that something was done: a call that rejected may have done its work. */
type Certainty = "done" | "perhaps";

/** What a history must hold after puts and removals of which some were rejected. */
export class Expected {
  readonly #values = new Map<string, unknown>();
  readonly #puts = new Map<string, Certainty>();
  readonly #removals = new Map<string, Certainty>();

  constructor(readonly agentId: string) {}

  put(id: string, value: unknown, certainty: Certainty): void {
    this.#values.set(id, value);
    this.#puts.set(id, certainty);
  }

  removed(id: string, certainty: Certainty): void {
    this.#removals.set(id, certainty);
  }

  /** Puts that were acknowledged. */
  get acknowledged(): number {
    return [...this.#puts.values()].filter((certainty) => certainty === "done").length;
  }

  /** Checkpoints that are surely there, oldest first. */
  get kept(): string[] {
    return [...this.#puts].flatMap(([id, put]) => (put === "done" && !this.#removals.has(id) ? [id] : []));
  }

  /** What is wrong with a store's account of the agent. */
  async breaches(store: CheckpointStore): Promise<string[]> {
    const there = new Set((await store.list(this.agentId)).map(({ id }) => id));
    const found: string[] = [];
    for (const id of this.kept) if (!there.has(id)) found.push(`${id} was acknowledged and is not there`);
    for (const id of there) {
      if (!this.#puts.has(id)) found.push(`${id} was never put`);
      else if (this.#removals.get(id) === "done") found.push(`${id} was removed and is back`);
      else found.push(...(await this.#wrongState(store, id)));
    }
    return found;
  }

  async #wrongState(store: CheckpointStore, id: string): Promise<string[]> {
    const value: unknown = (await store.load(this.agentId, id)).toValue();
    const expected = JSON.stringify(this.#values.get(id));
    return JSON.stringify(value) === expected ? [] : [`${id} came back as another state`];
  }
}
