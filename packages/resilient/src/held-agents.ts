import type { AgentState, StoreEntry } from "@ckpt/core";
import { applyEntries } from "./agent-facts.js";
import { agentsOf } from "./agent-order.js";

/** The agents whose leases are held, and what their place has of each: nobody else writes those, so it stays true. */
export class HeldAgents {
  readonly #held = new Map<string, { readonly epoch: number; known: AgentState }>();

  /** Notes an agent that was taken; the function that it gives lets go of it. */
  take(agentId: string, epoch: number, known: AgentState): () => void {
    const held = { epoch, known };
    this.#held.set(agentId, held);
    return () => {
      // A second release must not take the next holder's mark.
      if (this.#held.get(agentId) === held) this.#held.delete(agentId);
    };
  }

  has(agentId: string): boolean {
    return this.#held.has(agentId);
  }

  epochOf(agentId: string): number {
    return this.#held.get(agentId)?.epoch ?? 0;
  }

  known(agentId: string): AgentState | undefined {
    return this.#held.get(agentId)?.known;
  }

  /** The place has these now. */
  learn(entries: readonly StoreEntry[]): void {
    for (const id of agentsOf(entries)) {
      const held = this.#held.get(id);
      if (held !== undefined) held.known = applyEntries(held.known, entries);
    }
  }
}
