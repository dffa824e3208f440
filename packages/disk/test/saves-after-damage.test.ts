import { open, readFile, rm } from "node:fs/promises";
import path from "node:path";
import { type Snapshot, snapshot } from "@ckpt/core";
import { DiskStore } from "@ckpt/disk";
import { describe, expect, it } from "vitest";
import { codeOf, filesOf, freshDirectory, put } from "./support/store.js";

const options = { autoCompact: false };

/** Saves states that share nearly everything, so that each is a delta on the one before. */
function saver(store: DiskStore, agentId: string) {
  let previous: Snapshot | undefined;
  let sequence = 0;
  return async (count: number) => {
    for (let i = 0; i < count; i++) {
      sequence++;
      const value = { big: `${agentId}${"q".repeat(20_000)}`, sequence };
      const entry = put(agentId, sequence, value, { previous });
      previous = entry.snapshot;
      await store.commit([entry]);
    }
  };
}

async function segmentsOf(directory: string): Promise<string[]> {
  return [...(await filesOf(directory)).keys()]
    .filter((name) => name.endsWith(".seg"))
    .map((name) => path.join(directory, name));
}

/** Flips a bit in the middle of the record number `record` of the file. */
async function damage(file: string, record: number): Promise<void> {
  const bytes = await readFile(file);
  let at = 0;
  for (let i = 0; i < record; i++) at += 40 + bytes.readUInt32LE(at + 4);
  const handle = await open(file, "r+");
  await handle.write(Buffer.of(bytes[at + 50]! ^ 1), 0, 1, at + 50);
  await handle.close();
}

async function restorable(directory: string, agentId: string): Promise<number[]> {
  const store = new DiskStore(directory, options);
  const sequences: number[] = [];
  for (const { id, sequence } of await store.list(agentId))
    if ((await codeOf(store.load(agentId, id))) === "none") sequences.push(sequence);
  await store.close();
  return sequences;
}

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

/** A store whose agent `a` has saved five times. */
async function begun() {
  const directory = await freshDirectory();
  const store = new DiskStore(directory, options);
  await store.acquire("a");
  const save = saver(store, "a");
  await save(5);
  return { directory, store, save };
}

describe("saves of a writer that knows of damage in the segment it writes", () => {
  it("can be restored when a load has met it, also those of other agents in the segment", async () => {
    const directory = await freshDirectory();
    const store = new DiskStore(directory, options);
    for (const agentId of ["a", "b"]) await store.acquire(agentId);
    const [a, b] = [saver(store, "a"), saver(store, "b")];
    await a(5);
    await b(5);
    const [file] = await segmentsOf(directory);
    await damage(file!, 4);
    await damage(file!, 8);
    expect(await codeOf(store.load("a", "a:4"))).toBe("CKPT_CORRUPT");
    await a(20);
    await b(20);
    await store.close();
    expect(await restorable(directory, "a")).toEqual([1, 2, 3, ...range(6, 25)]);
    expect(await restorable(directory, "b")).toEqual([1, 2, ...range(6, 25)]);
  });

  it("can be restored when verify has met it", async () => {
    const { directory, store, save } = await begun();
    await damage((await segmentsOf(directory))[0]!, 4);
    const named = new Set<string>();
    for await (const { affectedIds } of store.verify()) for (const id of affectedIds) named.add(id);
    expect([...named]).toEqual(["a:4", "a:5"]);
    await save(20);
    await store.close();
    expect(await restorable(directory, "a")).toEqual([1, 2, 3, ...range(6, 25)]);
  });

  it.each(["load", "verify"])("go to a file that is there when %s has found theirs deleted", async (how) => {
    const { directory, store, save } = await begun();
    await rm((await segmentsOf(directory))[0]!);
    if (how === "load") expect(await codeOf(store.load("a", "a:3"))).toBe("CKPT_CORRUPT");
    else for await (const { kind } of store.verify()) expect(kind).toBe("missing");
    await save(20);
    await store.close();
    expect(await restorable(directory, "a")).toEqual(range(6, 25));
  });

  it("begin anew once, however often the damage is met", async () => {
    const { directory, store, save } = await begun();
    await damage((await segmentsOf(directory))[0]!, 4);
    for (let i = 0; i < 4; i++) {
      expect(await codeOf(store.load("a", "a:4"))).toBe("CKPT_CORRUPT");
      for await (const { kind } of store.verify()) expect(kind).toBe("damaged");
      await save(1);
    }
    expect(await segmentsOf(directory)).toHaveLength(2);
    await store.close();
  });

  it("leave the newest state to be read from memory until it is written again", async () => {
    const directory = await freshDirectory();
    const store = new DiskStore(directory, options);
    await store.acquire("a");
    const entry = put("a", 1, { big: "q".repeat(20_000) });
    await store.commit([entry]);
    await damage((await segmentsOf(directory))[0]!, 1);
    for (let i = 0; i < 2; i++)
      expect((await store.load("a", "a:1")).hash).toBe(snapshot({ big: "q".repeat(20_000) }).hash);
    // Put again, it is written again.
    await store.commit([entry]);
    await store.close();
    expect(await restorable(directory, "a")).toEqual([1]);
  });
});
