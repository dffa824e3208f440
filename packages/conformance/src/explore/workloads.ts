import { type CheckpointStore, type Snapshot, type StoreEntry, type StoreEvent, snapshot } from "@ckpt/core";
import type { SeededRandom } from "../faulty-fs/random.js";
import type { Workload, WorkloadContext } from "./run-workload.js";

/** One agent of a workload: a state that grows and changes, and its place in the history. */
class WorkloadAgent {
  readonly agentId: string;
  readonly #random: SeededRandom;
  #state: { turn: number; log: string[]; data?: Uint8Array } = { turn: 0, log: [] };
  #previous: Snapshot | undefined;
  #sequence: number;
  #parentId: string | null;

  constructor(agentId: string, random: SeededRandom, sequence = 0, parentId: string | null = null) {
    this.agentId = agentId;
    this.#random = random;
    this.#sequence = sequence;
    this.#parentId = parentId;
  }

  /** The next checkpoint: mostly a small change, now and then a rebuilt or a larger state. */
  put(): StoreEntry {
    const random = this.#random;
    const turn = ++this.#state.turn;
    if (random.chance(0.1)) this.#state = { turn, log: [] };
    this.#state.log.push(`turn ${turn} `.repeat(1 + random.below(random.pick([4, 40, 400]))));
    if (random.chance(0.2)) this.#state.data = random.bytes(random.below(6_000));
    const state = snapshot(this.#state, this.#previous === undefined ? {} : { previous: this.#previous });
    this.#previous = state;
    const sequence = ++this.#sequence;
    const id = `${this.agentId}:${sequence}`;
    const header = {
      id,
      agentId: this.agentId,
      sequence,
      name: random.pick(["routine", "recovery", "pre_operation"]),
      timestamp: new Date(1_700_000_000_000 + sequence * 1_000).toISOString(),
      parentId: this.#parentId,
      metadata: { turn },
      schemaVersion: null,
    };
    this.#parentId = id;
    return { op: "put", header, snapshot: state };
  }

  remove(...ids: readonly string[]): StoreEntry {
    return { op: "remove", agentId: this.agentId, ids, reason: "workload" };
  }

  event(event: StoreEvent): StoreEntry {
    return { op: "event", agentId: this.agentId, event };
  }

  /** Goes on from an older checkpoint. */
  returnTo(checkpointId: string): StoreEntry {
    this.#parentId = checkpointId;
    return this.event({ kind: "head", checkpointId, reason: "workload" });
  }
}

/** Takes an agent, trying again as a program would, and goes on where its history stands. */
async function begin(
  context: WorkloadContext,
  store: CheckpointStore,
  agentId: string,
): Promise<WorkloadAgent> {
  for (let attempt = 1; attempt < 4; attempt++) {
    if ((await context.attempt(() => store.acquire(agentId))) !== undefined) break;
  }
  const state = await context.attempt(() => store.agent(agentId));
  return new WorkloadAgent(agentId, context.random, state?.lastSequence ?? 0, state?.headId ?? null);
}

const saves: Workload = async (context) => {
  const store = await context.open();
  const agents = [await begin(context, store, "a"), await begin(context, store, "b")];
  for (let n = 0; n < 12; n++) {
    const both = agents.map((agent) => context.attempt(() => store.commit([agent.put()])));
    await Promise.all(both);
  }
};

const batches: Workload = async (context) => {
  const store = await context.open();
  const [a, b] = [await begin(context, store, "a"), await begin(context, store, "b")];
  for (let n = 0; n < 10; n++) {
    const note = b.event({ kind: "note", topic: "round", body: n });
    await context.attempt(() => store.commit([a.put(), b.put(), a.put(), note]));
  }
};

const removals: Workload = async (context) => {
  const store = await context.open();
  const agent = await begin(context, store, "a");
  for (let n = 1; n <= 14; n++) {
    await context.attempt(() => store.commit([agent.put()]));
    if (n % 3 !== 0) continue;
    const ids = (await context.attempt(() => store.list("a")))?.map((header) => header.id) ?? [];
    const gone = ids.slice(0, -1).filter(() => context.random.chance(0.4));
    await context.attempt(() => store.commit([agent.remove(...gone)]));
  }
};

const compaction: Workload = async (context) => {
  for (let life = 0; life < 2; life++) {
    const store = await context.attempt(() => context.open());
    if (store === undefined) continue;
    await context.attempt(async () => {
      const [a, b] = [await begin(context, store, "a"), await begin(context, store, "b")];
      for (let n = 1; n <= 8; n++) await context.attempt(() => store.commit([a.put(), b.put()]));
      const ids = (await store.list("a")).map((header) => header.id);
      await context.attempt(() => store.commit([a.remove(...ids.slice(0, -3))]));
      await context.attempt(() => store.compact());
      await context.attempt(() => store.commit([b.put()]));
    });
    await context.attempt(() => store.close());
  }
};

const forks: Workload = async (context) => {
  const store = await context.open();
  const agent = await begin(context, store, "a");
  for (let n = 1; n <= 10; n++) {
    await context.attempt(() => store.commit([agent.put()]));
    if (n % 3 !== 0) continue;
    const headers = (await context.attempt(() => store.list("a"))) ?? [];
    if (headers.length === 0) continue;
    const { id } = context.random.pick(headers);
    await context.attempt(() => store.commit([agent.returnTo(id)]));
  }
};

const guards: Workload = async (context) => {
  const store = await context.open();
  const agent = await begin(context, store, "a");
  for (let n = 1; n <= 7; n++) {
    const base = agent.put() as Extract<StoreEntry, { op: "put" }>;
    const checkpointId = base.header.id;
    const guardId = `guard-${n}`;
    const begun = agent.event({ kind: "guard-begun", guardId, operation: "risky", checkpointId });
    await context.attempt(() => store.commit([base, begun, agent.event({ kind: "pinned", checkpointId })]));
    await context.attempt(() => store.commit([agent.put()]));
    const done = n % 2 === 0 ? [agent.returnTo(checkpointId)] : [];
    const outcome = n % 2 === 0 ? "undone" : "completed";
    done.push(agent.event({ kind: "guard-done", guardId, outcome }));
    if (n % 3 !== 0) done.push(agent.event({ kind: "unpinned", checkpointId }));
    await context.attempt(() => store.commit(done));
  }
};

const restarts: Workload = async (context) => {
  for (let life = 0; life < 4; life++) {
    const store = await context.attempt(() => context.open());
    if (store === undefined) continue;
    await context.attempt(async () => {
      const agent = await begin(context, store, "a");
      for (let n = 0; n < 3; n++) await context.attempt(() => store.commit([agent.put()]));
    });
    await context.attempt(() => store.close());
  }
};

/** Lives that each take back what an earlier one has written, and compact: what a compaction leaves must still be taken back. */
const lives: Workload = async (context) => {
  for (let life = 1; life <= 4; life++) {
    const store = await context.attempt(() => context.open());
    if (store === undefined) continue;
    await context.attempt(async () => {
      const agent = await begin(context, store, "a");
      const [first, second] = [agent.put(), agent.put()] as Extract<StoreEntry, { op: "put" }>[];
      const { id } = second!.header;
      const [guardId, checkpointId] = [`guard-${life}`, id];
      const guard = agent.event({ kind: "guard-begun", guardId, operation: "risky", checkpointId });
      const ids = (await store.list("a")).map((header) => header.id);
      await context.attempt(() => store.commit([first!, second!, guard]));
      if (ids.length > 2) await context.attempt(() => store.commit([agent.remove(ids[0]!, ids[2]!)]));
      if (life > 1) {
        const done = { kind: "guard-done", guardId: `guard-${life - 1}`, outcome: "completed" } as const;
        await context.attempt(() => store.commit([agent.event(done)]));
      }
      if (life > 2) await context.attempt(() => store.compact());
      await context.attempt(() => store.commit([agent.put()]));
    });
    await context.attempt(() => store.close());
  }
};

/** Workloads over the store port that between them use all of it. For rotation, open the store with small segments. */
export const WORKLOADS: Readonly<Record<string, Workload>> = {
  saves,
  batches,
  removals,
  compaction,
  forks,
  guards,
  restarts,
  lives,
};
