import { type CheckpointHeader, MemoryStore, type StoreEntry } from "@ckpt/core";
import { driftAnchors, keepLast, type RetentionPolicy } from "@ckpt/retention";
import { expect, it } from "vitest";
// Not public: what a restore and a plan do to each other shows only when they are made to overlap.
import { Pruner } from "../src/pruner.js";
import { put } from "./support/agent-bench.js";

/** `whilePlanning` runs once, when a plan has read the history and not yet decided. */
async function bench(
  count = 4,
  whilePlanning: (pruner: Pruner) => void = () => {},
  policy: RetentionPolicy = keepLast(1),
) {
  const store = new MemoryStore();
  await store.commit(Array.from({ length: count }, (_, i) => put("a", i + 1, i + 1)));
  const removed: string[] = [];
  const commits: number[] = [];
  const suspicion: { since: number | undefined } = { since: undefined };
  let isFirst = true;
  const pruner: Pruner = new Pruner({
    agentId: "a",
    policy,
    now: () => Date.UTC(2026, 0, 1),
    list: (query): Promise<CheckpointHeader[]> => store.list("a", query),
    readAgent: () => store.agent("a"),
    suspectedSince: () => suspicion.since,
    alsoKeep: () => {
      // What comes behind the facts that the plan goes by.
      if (isFirst) queueMicrotask(() => whilePlanning(pruner));
      isFirst = false;
      return [];
    },
    commitInTurn: (take: () => readonly StoreEntry[]) => {
      const entries = take();
      for (const entry of entries) if (entry.op === "remove") commits.push(entry.ids.length);
      return store.commit(entries);
    },
    pruned: (ids) => removed.push(...ids),
    suspended: () => {},
    report: () => {},
  });
  return { store, pruner, removed, commits, suspicion };
}

it("a plan that is made while a restore needs a checkpoint leaves that one alone", async () => {
  const { pruner, removed } = await bench();
  await pruner.sparing(["a:2"], async () => {
    await pruner.apply();
  });
  expect(removed).toEqual(["a:1", "a:3"]);
  await pruner.apply();
  expect(removed).toEqual(["a:1", "a:3", "a:2"]);
});

it("what waits to be removed is spared as well, and stays when the restore made it the head", async () => {
  const { store, pruner, removed } = await bench();
  pruner.saved();
  for (let i = 0; i < 8; i++) pruner.saved();
  while (pruner.pendingIds.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  expect(pruner.pendingIds).toEqual(["a:1", "a:2", "a:3"]);
  await pruner.sparing(["a:2"], async () => {
    await store.commit([
      { op: "event", agentId: "a", event: { kind: "head", checkpointId: "a:2", reason: "test" } },
    ]);
  });
  await pruner.finish();
  expect(removed.sort()).toEqual(["a:1", "a:3"]);
  expect((await store.agent("a"))?.headId).toBe("a:2");
});

it("removes a long history in several commits, so that none is long", async () => {
  const { store, pruner, removed, commits } = await bench(601);
  await pruner.apply();
  expect(commits).toEqual([256, 256, 88]);
  expect(removed).toHaveLength(600);
  expect((await store.list("a")).map(({ id }) => id)).toEqual(["a:601"]);
});

it.each(["apply", "finish"] as const)(
  "%s throws a plan away when a checkpoint that it counted on is found damaged meanwhile",
  async (how) => {
    // Long enough for a plan in slices, which other work comes between.
    const { pruner, removed } = await bench(1_500, (it) => it.markDamaged("a:1500"));
    if (how === "finish") pruner.saved();
    await pruner[how]();
    await pruner.finish();
    expect(removed).toHaveLength(1_498);
    expect(removed).not.toContain("a:1499");
  },
);

it("a plan that is only looked at, or is not ready, says nothing about what an older one wants to remove", async () => {
  const { pruner, removed, suspicion } = await bench(9, () => {}, driftAnchors({ savesBack: [1] }));
  for (let i = 0; i < 8; i++) pruner.saved();
  while (pruner.pendingIds.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  expect(pruner.pendingIds).toContain("a:4");
  suspicion.since = 5;
  await pruner.plan();
  expect(pruner.take().entries).toEqual([]);
  await pruner.finish();
  expect(removed).toContain("a:3");
  expect(removed).not.toContain("a:4");
});
