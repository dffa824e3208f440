import { readFile } from "node:fs/promises";
import path from "node:path";
import { isCkptError, type Json, type StoreEntry } from "@ckpt/core";
import { DiskStore } from "@ckpt/disk";
import { describe, expect, it, vi } from "vitest";
import { codeOf, filesOf, findingsOf, freshDirectory, put, remove } from "./support/store.js";

const options = { autoCompact: false };
const MIB = 1024 * 1024;
const lines = (count: number) => Array.from({ length: count }, (_, i) => `line ${i} ${"x".repeat(50)}`);

async function storeWith(directory: string, ...agents: string[]): Promise<DiskStore> {
  const store = new DiskStore(directory, options);
  for (const agentId of agents) await store.acquire(agentId);
  for (const agentId of agents) await store.commit([put(agentId, 1, { i: 1 })]);
  return store;
}

async function segmentsOf(directory: string): Promise<string[]> {
  return [...(await filesOf(directory)).keys()]
    .filter((name) => name.endsWith(".seg"))
    .map((name) => path.join(directory, name));
}

const note = (agentId: string, topic: string, body: Json): StoreEntry => ({
  op: "event",
  agentId,
  event: { kind: "note", topic, body },
});

describe("a progress callback that throws", () => {
  it.each([
    [
      "at once",
      () => {
        throw new Error("the display is gone");
      },
    ],
    [
      "later",
      async () => {
        throw new Error("the display is gone");
      },
    ],
  ])("%s is a warning, and neither its own commit nor those beside it fail", async (_, fail) => {
    const directory = await freshDirectory();
    const store = await storeWith(directory, "big", "other");
    const warn = vi.spyOn(process, "emitWarning").mockImplementation(() => undefined);
    const onProgress = vi.fn(fail);
    const commits = [
      store.commit([put("other", 2, { i: 2 })]),
      store.commit([put("big", 2, lines(20_000))], { onProgress }),
      store.commit([put("other", 3, { i: 3 })]),
    ];
    expect(await Promise.all(commits.map(codeOf))).toEqual(["none", "none", "none"]);
    const loaded = await store.load("big", "big:2", { onProgress });
    expect(loaded.toValue()).toEqual(lines(20_000));
    expect(warn.mock.calls).toEqual(Array(2).fill(["onProgress threw: the display is gone", "CkptWarning"]));
    warn.mockRestore();
    await store.close();
  });
});

describe("headers that fit into no commit", () => {
  const texts = Array.from({ length: 40 }, (_, i) =>
    put("big", i + 2, { i }, { metadata: { text: `${i}-`.padEnd(MIB, "y") } }),
  );

  it.each<[string, readonly StoreEntry[]]>([
    ["metadata", texts],
    ["a note", [note("big", "t", "y".repeat(40 * MIB))]],
    ["a note of escapes", [note("big", "t", "\u0001".repeat(6 * MIB))]],
    ["a note that no string can hold", [note("big", "t", "\u0001".repeat(90 * MIB))]],
  ])("refuse the commit inside the call for %s, and nothing is written", async (_, entries) => {
    const directory = await freshDirectory();
    const store = await storeWith(directory, "big", "other");
    const [segment] = await segmentsOf(directory);
    const before = await readFile(segment!);
    const error = await store.commit(entries).catch((e: unknown) => e);
    expect(isCkptError(error, "CKPT_LIMIT")).toBe(true);
    expect((await readFile(segment!)).equals(before)).toBe(true);
    const commits = [
      store.commit([put("other", 2, { i: 2 })]),
      store.commit(entries),
      store.commit([put("other", 3, { i: 3 })]),
      store.commit([put("big", 2, { i: 2 })]),
    ];
    expect(await Promise.all(commits.map(codeOf))).toEqual(["none", "CKPT_LIMIT", "none", "none"]);
    await store.close();
    expect(await segmentsOf(directory)).toHaveLength(1);
  });

  it("are not those of a batch whose metadata is mostly the same", async () => {
    const directory = await freshDirectory();
    const store = await storeWith(directory, "a");
    const same = "s".repeat(5 * MIB);
    const batch = Array.from({ length: 10 }, (_, i) =>
      put("a", i + 2, { i: 1 }, { metadata: { same, turn: i } }),
    );
    await store.commit(batch);
    await store.close();
    const again = new DiskStore(directory, options);
    expect((await again.get("a", "a:11"))?.metadata).toEqual({ same, turn: 9 });
    await again.close();
  });

  it("are not those of such a batch wherever the chain before it ends", async () => {
    const directory = await freshDirectory();
    const store = new DiskStore(directory, { ...options, maxChainDeltas: 3 });
    await store.acquire("a");
    for (let i = 1; i <= 3; i++) await store.commit([put("a", i, { i: 1 })]);
    const same = "s".repeat(20 * MIB);
    await store.commit([4, 5].map((i) => put("a", i, { i: 1 }, { metadata: { same, turn: i } })));
    await store.close();
    const again = new DiskStore(directory, options);
    expect((await again.get("a", "a:5"))?.metadata).toEqual({ same, turn: 5 });
    await again.close();
  });

  it("are not those of a batch whose metadata drops more than it keeps", async () => {
    const directory = await freshDirectory();
    const store = await storeWith(directory, "a");
    const labels = Object.fromEntries(
      Array.from({ length: 100 }, (_, i) => [`${i}-`.padEnd(20_000, "k"), 1]),
    );
    const batch = Array.from({ length: 20 }, (_, i) =>
      put("a", i + 2, { i: 1 }, { metadata: i % 2 === 0 ? labels : {} }),
    );
    await store.commit(batch);
    await store.close();
    const again = new DiskStore(directory, options);
    for (const { sequence, metadata } of (await again.list("a")).slice(1))
      expect(Object.keys(metadata)).toEqual(sequence % 2 === 0 ? Object.keys(labels) : []);
    await again.close();
  });
});

/** A put that is accepted, and whose state cannot be encoded to its end. */
function unwritable(agentId: string, sequence: number, value: unknown) {
  const entry = put(agentId, sequence, value);
  const broken = Object.create(entry.snapshot, {
    hash: {
      get() {
        throw new Error("the state cannot be encoded");
      },
    },
  });
  return { ...entry, snapshot: broken };
}

describe("a commit that cannot be encoded", () => {
  it.each([
    ["small", { i: 3 }],
    ["large", lines(20_000)],
  ])("takes with it what its agents sent behind it, and no other: %s", async (_, value) => {
    const directory = await freshDirectory();
    const store = await storeWith(directory, "a", "b", "c");
    const commits = {
      before: codeOf(store.commit([put("c", 2, { i: 2 })])),
      earlier: codeOf(store.commit([put("a", 2, { i: 2 })])),
      bad: codeOf(store.commit([unwritable("a", 3, value)])),
      beside: codeOf(store.commit([put("c", 3, { i: 3 })])),
      behind: codeOf(store.commit([put("a", 4, { i: 4 }), put("b", 2, { i: 2 })])),
      further: codeOf(store.commit([put("b", 3, { i: 3 })])),
      after: codeOf(store.commit([put("c", 4, { i: 4 })])),
    };
    const codes: Record<string, string> = {};
    for (const [name, commit] of Object.entries(commits)) codes[name] = await commit;
    // A body that fails inside the call leaves nothing for those behind it to fail on.
    const isSmall = !Array.isArray(value);
    const behind = isSmall ? "none" : "CKPT_IO";
    expect(codes).toEqual({
      before: "none",
      earlier: "none",
      bad: "CKPT_IO",
      beside: "none",
      behind,
      further: behind,
      after: "none",
    });
    if (!isSmall) {
      await store.commit([put("a", 3, { again: 3 })]);
      await store.commit([put("a", 4, { i: 4 }), put("b", 2, { i: 2 })]);
      await store.commit([put("b", 3, { i: 3 })]);
    }
    await store.commit([remove("a", 1)]);
    await store.close();
    const again = new DiskStore(directory, options);
    const sequences = async (agentId: string) => (await again.list(agentId)).map(({ sequence }) => sequence);
    expect(await sequences("a")).toEqual(isSmall ? [2, 4] : [2, 3, 4]);
    expect(await sequences("b")).toEqual([1, 2, 3]);
    expect(await sequences("c")).toEqual([1, 2, 3, 4]);
    expect(await findingsOf(again)).toEqual([]);
    await again.close();
  });

  it("keeps its agent's lease until what was sent before it is written", async () => {
    const directory = await freshDirectory();
    const store = new DiskStore(directory, options);
    const lease = await store.acquire("a");
    await store.commit([put("a", 1, { i: 1 })]);
    const earlier = codeOf(store.commit([put("a", 2, lines(20_000))]));
    const bad = codeOf(store.commit([unwritable("a", 3, lines(20_000))]));
    await lease.release();
    const other = new DiskStore(directory, options);
    expect((await other.list("a")).map(({ sequence }) => sequence)).toEqual([1, 2]);
    expect([await earlier, await bad]).toEqual(["none", "CKPT_IO"]);
    await Promise.all([store.close(), other.close()]);
  });

  it("takes with it a batch that has its checkpoint once more", async () => {
    const directory = await freshDirectory();
    const store = await storeWith(directory, "a", "b");
    const entry = put("a", 2, lines(20_000));
    let isBroken = false;
    const snapshot = Object.create(entry.snapshot, {
      hash: {
        get() {
          if (isBroken) throw new Error("the state cannot be encoded");
          return entry.snapshot.hash;
        },
      },
    });
    const bad = codeOf(store.commit([{ ...entry, snapshot }]));
    const again = codeOf(store.commit([entry, put("b", 2, { i: 2 })]));
    const beside = codeOf(store.commit([put("b", 3, { i: 3 })]));
    isBroken = true;
    expect([await bad, await again, await beside]).toEqual(["CKPT_IO", "CKPT_IO", "CKPT_IO"]);
    expect((await store.list("b")).map(({ sequence }) => sequence)).toEqual([1]);
    await store.commit([entry, put("b", 2, { i: 2 })]);
    await store.close();
  });
});
