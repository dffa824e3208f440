import {
  type CheckpointStore,
  type HeaderQuery,
  type Lease,
  type StoreEntry,
  type StoreEvent,
  snapshot,
} from "@ckpt/core";
import { afterEach } from "vitest";

/** What the suite asks of a store's author. */
export interface StoreUnderTest {
  /** A fresh, empty store at a place of its own. Called for every test. */
  open(): Promise<CheckpointStore> | CheckpointStore;
  /** The same place again, after `former` was closed. Needed where `supports.durable`. */
  reopen?(former: CheckpointStore): Promise<CheckpointStore> | CheckpointStore;
  /**
   * Another store on the same place while `other` is open: as another process would open it, with no state shared in memory. Where it is
   * given, tests of several writers and readers run.
   */
  openBeside?(other: CheckpointStore): Promise<CheckpointStore> | CheckpointStore;
  /**
   * Damages the stored bytes that hold this checkpoint's state, while the store is closed. Where it is given, tests of damage
   * run.
   */
  damage?(
    former: CheckpointStore,
    checkpoint: { readonly agentId: string; readonly id: string },
  ): Promise<void> | void;
  /** Called after every test, when its stores are closed. */
  cleanup?(): Promise<void> | void;
}

type Put = Extract<StoreEntry, { op: "put" }>;

/** A `put` of `value`. What a test is not about has a default. */
export function put(
  agentId: string,
  sequence: number,
  value: unknown,
  header: Partial<Put["header"]> = {},
): Put {
  return {
    op: "put",
    header: {
      id: `${agentId}:${sequence}`,
      agentId,
      sequence,
      name: "routine",
      timestamp: new Date(1_700_000_000_000 + (sequence % 1_000_000 || 0) * 1_000).toISOString(),
      parentId: sequence > 1 ? `${agentId}:${sequence - 1}` : null,
      metadata: {},
      schemaVersion: null,
      ...header,
    },
    snapshot: snapshot(value),
  };
}

export const remove = (agentId: string, ...ids: readonly string[]): StoreEntry => ({
  op: "remove",
  agentId,
  ids,
  reason: "test",
});

export const event = (agentId: string, what: StoreEvent): StoreEntry => ({
  op: "event",
  agentId,
  event: what,
});

/** The code of the error that `work` rejects with; "none" when it does not reject. */
export async function codeOf(work: Promise<unknown> | (() => unknown)): Promise<unknown> {
  try {
    await (typeof work === "function" ? work() : work);
  } catch (error) {
    return (error as { code?: unknown }).code;
  }
  return "none";
}

/** Everything that `store` shows of `agentId`: headers, states, facts. */
export async function everything(store: CheckpointStore, agentId: string) {
  const headers = await store.list(agentId);
  const states = await Promise.all(headers.map(async ({ id }) => (await store.load(agentId, id)).toValue()));
  return { headers, states, agent: await store.agent(agentId) };
}

export const ids = async (store: CheckpointStore, agentId: string, query?: HeaderQuery) =>
  (await store.list(agentId, query)).map((header) => header.id);

/** Opens stores for tests, and closes what they leave open. */
export class StoreBench {
  readonly subject: StoreUnderTest;
  readonly #open = new Set<CheckpointStore>();
  readonly #leases: Lease[] = [];

  constructor(subject: StoreUnderTest) {
    this.subject = subject;
  }

  /** Called once per group: what the tests leave open is closed after each. */
  closeAfterEach(): void {
    afterEach(async () => {
      for (const lease of this.#leases.splice(0)) await lease.release();
      for (const store of this.#open) await store.close();
      this.#open.clear();
      await this.subject.cleanup?.();
    });
  }

  /** A fresh store that holds these agents. */
  async open(...agentIds: readonly string[]): Promise<CheckpointStore> {
    const store = await this.subject.open();
    this.#open.add(store);
    await this.acquire(store, ...agentIds);
    return store;
  }

  async acquire(store: CheckpointStore, ...agentIds: readonly string[]): Promise<void> {
    for (const agentId of agentIds) this.#leases.push(await store.acquire(agentId));
  }

  /** Closes `former` and opens the same place again; the same store where nothing outlives it. */
  async reopen(former: CheckpointStore, ...agentIds: readonly string[]): Promise<CheckpointStore> {
    if (!former.supports.durable) return former;
    if (this.subject.reopen === undefined) {
      throw new Error("The store says that it is durable; give describeStore a reopen() to prove it.");
    }
    for (const lease of this.#leases.splice(0)) await lease.release();
    await former.close();
    const store = await this.subject.reopen(former);
    this.#open.add(store);
    await this.acquire(store, ...agentIds);
    return store;
  }

  /** Checks a store, and once more after it was reopened. */
  async beforeAndAfterReopening(
    store: CheckpointStore,
    check: (store: CheckpointStore) => Promise<void>,
  ): Promise<void> {
    await check(store);
    if (store.supports.durable) await check(await this.reopen(store));
  }

  /** Another store on the same place, while `other` is open. */
  async openBeside(other: CheckpointStore): Promise<CheckpointStore> {
    const store = await this.subject.openBeside!(other);
    this.#open.add(store);
    return store;
  }
}
