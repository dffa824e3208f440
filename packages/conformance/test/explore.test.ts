import {
  type Breach,
  exploreCuts,
  exploreFailedSyncs,
  exploreFaults,
  type FaultyFileSystem,
  prepareScene,
  WORKLOADS,
  type Workload,
} from "@ckpt/conformance";
import { type StoreEntry, snapshot } from "@ckpt/core";
import { describe, expect, it } from "vitest";
import { type Carelessness, LogStore } from "./log-store.js";

const opening =
  (careless: Carelessness = {}) =>
  (fs: FaultyFileSystem) =>
    LogStore.open(fs, "/log", careless);

const putOf = (agentId: string, sequence: number): StoreEntry => ({
  op: "put",
  header: {
    id: `${agentId}:${sequence}`,
    agentId,
    sequence,
    name: "routine",
    timestamp: new Date(0).toISOString(),
    parentId: null,
    metadata: {},
    schemaVersion: null,
  },
  snapshot: snapshot({ sequence }),
});

const kinds = (breaches: readonly Breach[]) => [...new Set(breaches.map((breach) => breach.kind))].sort();

describe("a store that keeps its promises", () => {
  for (const [name, workload] of Object.entries(WORKLOADS)) {
    it(`passes power cuts after every operation of: ${name}`, async () => {
      const report = await exploreCuts({ workload, open: opening() });
      expect(report.breaches).toEqual([]);
      expect(report.acknowledged).toBeGreaterThan(0);
      expect(report.distinctStates).toBeGreaterThan(10);
      expect(report.cuts).toBeGreaterThanOrEqual(report.distinctStates);
    });
  }

  it("passes every kind of fault at every operation", async () => {
    const report = await exploreFaults({ workload: WORKLOADS.restarts!, open: opening(), every: 3 });
    expect(report.breaches).toEqual([]);
    expect(report.runs).toBe(Math.ceil(report.operations / 3) * 11);
    expect(report.typedErrors).toBeGreaterThan(report.runs / 2);
  });

  it("passes failed syncs", async () => {
    const report = await exploreFailedSyncs({ workload: WORKLOADS.batches!, open: opening(), first: 6 });
    expect(report.breaches).toEqual([]);
    expect(report.failedSyncs).toBe(18);
    expect(report.distinctStates).toBeGreaterThan(100);
  });

  it("is explored in shards as in one go", async () => {
    const given = { workload: WORKLOADS.batches!, open: opening(), every: 2 };
    const shards = [0, 1, 2].map((index) => ({ ...given, shard: { index, count: 3 } }));
    const cuts = await Promise.all(shards.map((shard) => exploreCuts(shard)));
    const states = new Set(cuts.flatMap((report) => [...report.states]));
    expect(states).toEqual((await exploreCuts(given)).states);
    expect(Math.max(...cuts.map((report) => report.distinctStates))).toBeLessThan(states.size);
    const faults = await Promise.all(shards.map((shard) => exploreFaults({ ...shard, every: 9 })));
    const runs = faults.reduce((sum, report) => sum + report.runs, 0);
    expect(runs).toBe((await exploreFaults({ ...given, every: 9 })).runs);
    const syncs = await Promise.all(shards.map((shard) => exploreFailedSyncs({ ...shard, first: 4 })));
    expect(syncs.map((report) => report.failedSyncs)).toEqual([3, 3, 6]);
  });

  it("passes cuts and faults in its own recovery, from what a cut left", async () => {
    const base = { workload: WORKLOADS.saves!, open: opening() };
    for (const seed of [1, 2]) {
      const from = await prepareScene({ ...base, cut: { mode: "torn", seed }, at: 0.3 * seed });
      const next = { workload: WORKLOADS.restarts!, open: opening(), from };
      expect((await exploreCuts(next)).breaches).toEqual([]);
      expect((await exploreFaults({ ...next, every: 20 })).breaches).toEqual([]);
    }
  });
});

describe("the explorers catch a store that", () => {
  const { saves, restarts } = WORKLOADS as Record<string, Workload>;

  it("does not sync what it writes", async () => {
    const report = await exploreCuts({
      workload: saves!,
      open: opening({ noFileSync: true }),
      modes: ["strict"],
    });
    expect(kinds(report.breaches)).toContain("lost");
  });

  it("does not sync the directory of a new file", async () => {
    const report = await exploreCuts({
      workload: saves!,
      open: opening({ noDirectorySync: true }),
      modes: ["strict"],
    });
    expect(kinds(report.breaches)).toContain("lost");
  });

  it("does not sync the parent of a new directory", async () => {
    const report = await exploreCuts({
      workload: saves!,
      open: opening({ noParentSync: true }),
      modes: ["strict"],
    });
    expect(kinds(report.breaches)).toContain("lost");
  });

  it("takes torn bytes for data", async () => {
    const report = await exploreCuts({
      workload: saves!,
      open: opening({ noChecksum: true }),
      modes: ["torn"],
      outcomes: 20,
    });
    expect(report.breaches.length).toBeGreaterThan(0);
  });

  it("goes on writing to a file whose sync failed", async () => {
    const open = opening({ trustsFileAfterFailedSync: true });
    const report = await exploreFailedSyncs({ workload: saves!, open, first: 8 });
    expect(kinds(report.breaches)).toContain("lost");
  });

  it("takes a short write for a whole one", async () => {
    const report = await exploreFaults({
      workload: saves!,
      open: opening({ ignoresShortWrites: true }),
      every: 10,
    });
    expect(kinds(report.breaches)).toContain("lost");
  });

  it("lets errors of the platform through", async () => {
    const report = await exploreFaults({
      workload: restarts!,
      open: opening({ untypedErrors: true }),
      every: 10,
    });
    expect(kinds(report.breaches)).toContain("untyped");
  });

  /** A store that shows something else than it has. */
  const showing = (change: (store: LogStore) => Partial<LogStore>) => async (fs: FaultyFileSystem) => {
    const store = await opening()(fs);
    return Object.assign(store, change(store));
  };

  it("shows headers that were never put", async () => {
    const open = showing((store) => {
      const list = store.list.bind(store);
      return {
        list: async (agentId, query) =>
          (await list(agentId, query)).map((header) => ({ ...header, metadata: { turn: 0 } })),
      };
    });
    const report = await exploreCuts({ workload: saves!, open, modes: ["strict"], every: 9 });
    expect(kinds(report.breaches)).toEqual(["wrong"]);
  });

  it("would give sequences out again that were removed", async () => {
    const open = showing((store) => {
      const agent = store.agent.bind(store);
      return {
        agent: async (agentId) => {
          const state = await agent(agentId);
          return state && { ...state, lastSequence: (await store.list(agentId)).at(-1)?.sequence ?? 0 };
        },
      };
    });
    const last: Workload = async ({ open, attempt }) => {
      const store = await open();
      await attempt(() => store.acquire("a"));
      await attempt(() => store.commit([putOf("a", 1), putOf("a", 2)]));
      await attempt(() => store.commit([{ op: "remove", agentId: "a", ids: ["a:2"], reason: "test" }]));
    };
    const report = await exploreCuts({ workload: last, open, modes: ["strict"], goOn: false });
    expect(kinds(report.breaches)).toEqual(["lost"]);
  });

  it("hangs", async () => {
    const open = async (fs: FaultyFileSystem) => {
      const store = await opening()(fs);
      const commit = store.commit.bind(store);
      store.commit = (entries) =>
        fs.faults.operations > 30 ? new Promise(() => undefined) : commit(entries);
      return store;
    };
    const report = await exploreCuts({ workload: saves!, open, modes: [], hangAfterMs: 100 });
    expect(kinds(report.breaches)).toEqual(["hang"]);
  });

  it("says that its own check failed", async () => {
    const check = async () => ["not as it should be"];
    const report = await exploreCuts({ workload: restarts!, open: opening(), modes: ["strict"], check });
    expect(kinds(report.breaches)).toEqual(["wrong"]);
    expect(report.breaches[0]).toMatchObject({ message: "not as it should be" });
  });
});
