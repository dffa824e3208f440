import { FaultyFileSystem } from "@ckpt/conformance";
import { type StoreEntry, snapshot } from "@ckpt/core";
import { DiskStore } from "@ckpt/disk";
import { type FileSystem, nodeFileSystem } from "@ckpt/io";
import fc from "fast-check";
import { expect, it } from "vitest";
import { findingsOf, freshDirectory, put, remove } from "./support/store.js";

const quiet = { autoCompact: false, reserveBytes: 0 };

/** A store of a life of its own: closed, what it leaves is a dead writer's. */
const live = (directory: string, fs: FileSystem = { ...nodeFileSystem }) =>
  new DiskStore(directory, { ...quiet, fs });

const move = (sequence: number): StoreEntry => ({
  op: "event",
  agentId: "a",
  event: { kind: "head", checkpointId: `a:${sequence}`, reason: "test" },
});

const factsOf = async (store: DiskStore) => ({ agent: await store.agent("a"), list: await store.list("a") });

it("a head that a living writer removed stays removed when the dead writer that wrote it is compacted", async () => {
  const directory = await freshDirectory();
  const first = live(directory);
  await first.acquire("a");
  await first.commit([put("a", 1, 1)]);
  await first.commit([put("a", 2, 2)]);
  await first.close();
  const holder = live(directory);
  await holder.acquire("a");
  await holder.commit([remove("a", 2)]);
  const other = live(directory);
  await other.compact();
  const reader = live(directory);
  for (const store of [holder, other, reader]) expect((await store.agent("a"))?.headId).toBeNull();
  expect(await findingsOf(reader)).toEqual([]);
  for (const store of [holder, other, reader]) await store.close();
});

it("so it does when dead writers are folded, under the default options too", async () => {
  const directory = await freshDirectory();
  for (let i = 1; i <= 12; i++) {
    const store = live(directory);
    await store.acquire("a");
    await store.commit([put("a", i, i)]);
    await store.close();
  }
  const store = new DiskStore(directory);
  await store.acquire("a");
  await store.commit([remove("a", 12)]);
  await store.compact({ maxBytes: 1_000_000 });
  await store.close();
  const reader = new DiskStore(directory);
  expect((await reader.agent("a"))?.headId).toBeNull();
  await reader.close();
});

interface Change {
  readonly kind: "save" | "remove" | "remove the head" | "move the head";
  readonly of: number;
}
type Step = Change | { readonly kind: "compact" };

const change = (weight: number, kind: Change["kind"]) => ({
  weight,
  arbitrary: fc.record({ kind: fc.constant(kind), of: fc.nat(11) }),
});
const step: fc.Arbitrary<Step> = fc.oneof(
  change(4, "save"),
  change(3, "remove the head"),
  change(1, "remove"),
  change(1, "move the head"),
  { weight: 3, arbitrary: fc.constant({ kind: "compact" } as const) },
);

/** What a step commits; undefined where what it is about is not there. */
async function entryOf(store: DiskStore, it: Change, next: { sequence: number }) {
  if (it.kind === "save") return put("a", ++next.sequence, next.sequence);
  const there = await store.list("a");
  const headId = (await store.agent("a"))?.headId;
  const found =
    it.kind === "remove the head" ? there.find(({ id }) => id === headId) : there[it.of % there.length];
  if (found === undefined) return undefined;
  return it.kind === "move the head" ? move(found.sequence) : remove("a", found.sequence);
}

/** One life that carries out its steps, with compactions by a process that comes and goes beside it. */
async function lead(
  disk: FaultyFileSystem,
  steps: readonly Step[],
  next: { sequence: number },
): Promise<void> {
  const store = live("/s", disk.process());
  await store.acquire("a");
  for (const it of steps) {
    if (it.kind === "compact") {
      const bystander = live("/s", disk.process());
      await bystander.compact();
      await bystander.close();
    } else {
      const entry = await entryOf(store, it, next);
      if (entry !== undefined) await store.commit([entry]);
    }
    const reader = live("/s", disk.process());
    expect(await factsOf(reader)).toEqual(await factsOf(store));
    await reader.close();
  }
  await store.close();
}

it("no compaction changes what a reader sees, whoever saved, removed and moved the head", async () => {
  const lives = fc.array(fc.array(step, { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(lives, async (all) => {
      const disk = new FaultyFileSystem();
      const next = { sequence: 0 };
      for (const steps of all) await lead(disk, steps, next);
      const store = live("/s", disk.process());
      const before = await factsOf(store);
      await store.compact();
      expect(await factsOf(store)).toEqual(before);
      for (const { id, sequence } of before.list)
        expect((await store.load("a", id)).hash).toBe(snapshot(sequence).hash);
      expect(await findingsOf(store)).toEqual([]);
      await store.close();
    }),
    { numRuns: Math.ceil(Number(process.env.CKPT_PROPERTY_RUNS ?? 300) / 3) },
  );
});
