import type { CheckpointStore, StoreFinding } from "@ckpt/core";
import { mayBeOf } from "./agent-of-id.js";

/** Findings that wait for a manager; beyond it the oldest go. */
const MAX_WAITING = 1_000;

/** The managers of each store: what one of them takes from it is meant for all. */
const inboxes = new WeakMap<CheckpointStore, Set<FindingInbox>>();

/** What a shared store noticed, for one agent: handing findings over clears them in the store, so each manager keeps its own. */
export class FindingInbox {
  readonly #agentId: string;
  readonly #store: CheckpointStore;
  #waiting: StoreFinding[] = [];

  constructor(agentId: string, store: CheckpointStore) {
    this.#agentId = agentId;
    this.#store = store;
    const all = inboxes.get(store) ?? new Set();
    inboxes.set(store, all.add(this));
  }

  /** Everything new about this agent, or about no checkpoint in particular. */
  take(): readonly StoreFinding[] {
    const fresh = this.#store.takeFindings();
    if (fresh.length > 0) for (const inbox of inboxes.get(this.#store) ?? []) inbox.#receive(fresh);
    if (this.#waiting.length === 0) return [];
    const taken = this.#waiting;
    this.#waiting = [];
    return taken;
  }

  #receive(findings: readonly StoreFinding[]): void {
    for (const finding of findings) {
      const { affectedIds } = finding;
      if (affectedIds.length === 0 || affectedIds.some((id) => mayBeOf(this.#agentId, id)))
        this.#waiting.push(finding);
    }
    if (this.#waiting.length > MAX_WAITING) this.#waiting.splice(0, this.#waiting.length - MAX_WAITING);
  }

  leave(): void {
    inboxes.get(this.#store)?.delete(this);
  }
}
