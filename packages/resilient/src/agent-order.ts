import { type StoreEntry, untilAborted } from "@ckpt/core";

/** The agents that a batch writes, each once. */
export function agentsOf(entries: readonly StoreEntry[]): string[] {
  const ids: string[] = [];
  for (const entry of entries) {
    const id = entry.op === "put" ? entry.header.agentId : entry.agentId;
    if (!ids.includes(id)) ids.push(id);
  }
  return ids;
}

/**
 * Runs the tasks of one agent one after another, in the order of the calls, and tasks of different agents side by side.
 * A task over several agents waits for all of them.
 *
 * A decorator needs this as soon as it may write a batch twice: were a later commit of the same agent let past a failed
 * one, the failed one could never be written (sequences only rise).
 */
export class AgentOrder {
  readonly #tails = new Map<string, Promise<void>>();

  /**
   * Runs `task` once every earlier task of these agents has settled. Nothing is scheduled when none is under way. Where `signal` fires
   * before its turn, it rejects with `CKPT_ABORTED` at once, and is never run.
   */
  run<T>(agentIds: readonly string[], task: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    if (signal === undefined) return this.#inTurn(agentIds, task);
    return untilAborted(signal, "The call", (begin) =>
      this.#inTurn(agentIds, async () => {
        begin();
        return task();
      }),
    );
  }

  #inTurn<T>(agentIds: readonly string[], task: () => Promise<T>): Promise<T> {
    const earlier: Promise<void>[] = [];
    for (const id of agentIds) {
      const tail = this.#tails.get(id);
      if (tail !== undefined) earlier.push(tail);
    }
    const first = earlier[0];
    const result =
      first === undefined
        ? task()
        : earlier.length === 1
          ? first.then(task)
          : Promise.all(earlier).then(task);
    const settled = (): void => {
      for (const id of agentIds) if (this.#tails.get(id) === tail) this.#tails.delete(id);
    };
    const tail: Promise<void> = result.then(settled, settled);
    for (const id of agentIds) this.#tails.set(id, tail);
    return result;
  }

  /** Resolves when everything that was given to `run` so far has settled. */
  async idle(): Promise<void> {
    await Promise.all(this.#tails.values());
  }
}
