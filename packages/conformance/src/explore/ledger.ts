import type { CheckpointStore, StoreEntry } from "@ckpt/core";
import { headerText } from "./header-text.js";

/** One commit as the ledger saw it. */
export interface Trial {
  readonly entries: readonly LedgerEntry[];
  /** The moment at which it was called. */
  readonly triedAt: number;
  /** The moment at which its receipt said `durable`; undefined while, or because, it did not. */
  acknowledgedAt: number | undefined;
}

/** What of an entry a check needs. */
export type LedgerEntry =
  | {
      readonly op: "put";
      readonly agentId: string;
      readonly id: string;
      readonly sequence: number;
      readonly hash: string;
      /** What else its header says. */
      readonly header: string;
    }
  | { readonly op: "remove"; readonly agentId: string; readonly ids: readonly string[] }
  | Extract<StoreEntry, { op: "event" }>;

function entryOf(entry: StoreEntry): LedgerEntry {
  if (entry.op === "event") return structuredClone(entry);
  if (entry.op === "remove") return { op: "remove", agentId: entry.agentId, ids: [...entry.ids] };
  const { agentId, id, sequence } = entry.header;
  return { op: "put", agentId, id, sequence, hash: entry.snapshot.hash, header: headerText(entry.header) };
}

/**
 * The oracle: what was tried, and what was acknowledged, and when. It stands outside of the disk, so it knows at every moment of a run
 * what must be there, what may be there and what must not.
 */
export class Ledger {
  readonly #trials: Trial[];
  #moment: number;

  constructor(trials: readonly Trial[] = [], moment = 0) {
    this.#trials = trials.map((trial) => ({ ...trial }));
    this.#moment = moment;
  }

  get trials(): readonly Trial[] {
    return this.#trials;
  }

  /** Rises whenever something is tried or acknowledged. */
  get moment(): number {
    return this.#moment;
  }

  /** How many commits were acknowledged. */
  get acknowledged(): number {
    return this.#trials.filter((trial) => trial.acknowledgedAt !== undefined).length;
  }

  /** The ledger as it stood at `moment`: for going on from what survived then. */
  at(moment: number): Ledger {
    const known = this.#trials.filter((trial) => trial.triedAt <= moment);
    const then = known.map((trial) => ({
      ...trial,
      acknowledgedAt: acknowledgedBy(trial, moment) ? trial.acknowledgedAt : undefined,
    }));
    return new Ledger(then, moment);
  }

  /** Records a commit that is about to be called. Call what it returns once the commit is acknowledged as durable. */
  tried(entries: readonly StoreEntry[]): () => void {
    const trial: Trial = {
      entries: entries.map(entryOf),
      triedAt: ++this.#moment,
      acknowledgedAt: undefined,
    };
    this.#trials.push(trial);
    return () => {
      trial.acknowledgedAt = ++this.#moment;
    };
  }

  /** The same store, with every commit recorded here. */
  watch(store: CheckpointStore): CheckpointStore {
    return {
      supports: store.supports,
      commit: async (entries, options) => {
        const acknowledge = this.tried(entries);
        const receipt = await store.commit(entries, options);
        if (receipt.durability === "durable") acknowledge();
        return receipt;
      },
      list: (agentId, query) => store.list(agentId, query),
      get: (agentId, id) => store.get(agentId, id),
      load: (agentId, id, options) => store.load(agentId, id, options),
      agent: (agentId) => store.agent(agentId),
      agents: () => store.agents(),
      acquire: (agentId) => store.acquire(agentId),
      verify: (options) => store.verify(options),
      compact: (options) => store.compact(options),
      takeFindings: () => store.takeFindings(),
      close: () => store.close(),
    };
  }
}

/** Whether the trial was acknowledged at this moment. */
export function acknowledgedBy(trial: Trial, moment: number): boolean {
  return trial.acknowledgedAt !== undefined && trial.acknowledgedAt <= moment;
}
