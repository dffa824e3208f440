import { readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  exploreCuts,
  exploreFaults,
  type FaultyFileSystem,
  prepareScene,
  WORKLOADS,
} from "@ckpt/conformance";
import { snapshot } from "@ckpt/core";
import { DiskStore } from "@ckpt/disk";
import { acquireLease, nodeFileSystem } from "@ckpt/io";
import { describe, expect, it } from "vitest";
import { codeOf, filesOf, findingsOf, freshDirectory, put, remove } from "./support/store.js";

const quiet = { autoCompact: false, reserveBytes: 0 };

/** A life of its own: what it leaves is a dead writer's. */
async function live(directory: string, work: (store: DiskStore) => Promise<void>): Promise<void> {
  const store = new DiskStore(directory, { ...quiet, fs: { ...nodeFileSystem } });
  await store.acquire("a");
  await work(store);
  await store.close();
}

const writersOf = async (directory: string) =>
  new Set([...(await filesOf(directory)).keys()].flatMap((name) => /^writers\/[^/]+/.exec(name) ?? []));

const bytes = (length: number) => ({ bytes: Buffer.alloc(length, length) });

const sequences = async (store: DiskStore) => (await store.list("a")).map((header) => header.sequence);

it("folds the smallest dead writers only, as many as hold the bytes that it is given", async () => {
  const directory = await freshDirectory();
  const sizes = [300_000, 1_000, 200_000, 2_000, 1_000, 400_000];
  for (const [i, size] of sizes.entries())
    await live(directory, async (store) => void (await store.commit([put("a", i + 1, bytes(size))])));
  const store = new DiskStore(directory, quiet);
  await store.acquire("a");
  await store.commit([put("a", 7, bytes(7))]);
  const { bytesBefore } = await store.compact({ maxBytes: 20_000 });
  expect(bytesBefore).toBeLessThan(20_000);
  expect((await writersOf(directory)).size).toBe(4);
  expect(await sequences(store)).toEqual([1, 2, 3, 4, 5, 6, 7]);
  // Two at least, however little may be taken; the open segment goes on.
  await store.compact({ maxBytes: 0 });
  expect((await writersOf(directory)).size).toBe(2);
  await store.commit([put("a", 8, bytes(8))]);
  await store.compact({ maxBytes: 10_000_000 });
  expect((await writersOf(directory)).size).toBe(2); // a single one is not copied for nothing
  for (const [i, size] of [...sizes, 7, 8].entries()) {
    const { hash } = await store.load("a", `a:${i + 1}`);
    expect(hash).toBe(snapshot(bytes(size)).hash);
  }
  expect(await findingsOf(store)).toEqual([]);
  expect(await codeOf(store.compact({ maxBytes: Number.NaN }))).toBe("CKPT_INVALID_ARGUMENT");
  await store.close();
});

it("keeps a removal while a segment that it does not fold holds what was removed, and no longer", async () => {
  const directory = await freshDirectory();
  await live(directory, async (store) => void (await store.commit([put("a", 1, bytes(90_000))])));
  await live(directory, async (store) => void (await store.commit([put("a", 2, bytes(10))])));
  await live(directory, async (store) => {
    await store.commit([put("a", 3, bytes(10))]);
    await store.commit([remove("a", 1)]);
    await store.commit([remove("a", 2)]);
  });
  const removalsIn = async () => {
    let found = 0;
    for (const name of (await filesOf(directory)).keys()) {
      if (!name.endsWith(".seg")) continue;
      found += (await readFile(join(directory, name), "latin1")).split('["r",').length - 1;
    }
    return found;
  };
  expect(await removalsIn()).toBe(2);
  await live(directory, async (store) => {
    await store.compact({ maxBytes: 20_000 });
    expect(await sequences(store)).toEqual([3]);
  });
  expect(await removalsIn()).toBe(1);
  await live(directory, async (store) => {
    expect(await sequences(store)).toEqual([3]);
    await store.compact();
  });
  expect(await removalsIn()).toBe(0);
  await live(directory, async (store) => {
    expect(await sequences(store)).toEqual([3]);
    expect(await findingsOf(store)).toEqual([]);
  });
});

it("folds by itself in steps until few dead writers are left, also when another process was at it first", async () => {
  const directory = await freshDirectory();
  for (let i = 1; i <= 40; i++)
    await live(directory, async (store) => void (await store.commit([put("a", i, { i })])));
  const other = await acquireLease(join(directory, "maintenance"), { subject: "maintenance" });
  const store = new DiskStore(directory);
  await store.acquire("a");
  await store.commit([put("a", 41, { i: 41 })]);
  await other.release();
  let next = 42;
  await expect
    .poll(
      async () => {
        await store.commit([put("a", next, { i: next })]);
        next++;
        return (await writersOf(directory)).size;
      },
      { timeout: 20_000 },
    )
    .toBeLessThan(10);
  expect(await sequences(store)).toEqual(Array.from({ length: next - 1 }, (_, i) => i + 1));
  await store.close();
});

describe("a compaction that folds two dead writers at a time", { timeout: 600_000 }, () => {
  class Folding extends DiskStore {
    override compact(options: { readonly signal?: AbortSignal } = {}) {
      return super.compact({ ...options, maxBytes: 0 });
    }
  }
  const options = { ...quiet, segmentBytes: 8_192, reserveBytes: 4_096, maxChainDeltas: 6 };
  const open = async (fs: FaultyFileSystem) => new Folding("/store", { fs, ...options });
  const some = (every: number) => (process.env.CKPT_EXPLORE === "full" ? 1 : every);
  const workload = WORKLOADS.lives!;

  it("loses nothing acknowledged and returns nothing wrong after a power cut at any moment", async () => {
    const report = await exploreCuts({ workload, open, every: some(5), outcomes: 2 });
    expect(report.breaches).toEqual([]);
    expect(report.distinctStates).toBeGreaterThan(30);
  });

  it("keeps its promises when any operation fails in any way", async () => {
    expect((await exploreFaults({ workload, open, every: some(293) })).breaches).toEqual([]);
  });

  it("keeps its promises after a crash in the midst of it", async () => {
    for (const [seed, at] of [
      [1, 0.7],
      [2, 0.9],
    ] as const) {
      const from = await prepareScene({ workload, open, cut: { mode: "torn", seed }, at });
      const report = await exploreCuts({ workload, open, from, every: some(29), outcomes: 2 });
      expect(report.breaches).toEqual([]);
    }
  });
});
