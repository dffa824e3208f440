import { FaultyFileSystem } from "@ckpt/conformance";
import type { StoreEntry } from "@ckpt/core";
import { DiskStore } from "@ckpt/disk";
import { expect, it } from "vitest";
import { put } from "./support/store.js";

/** More than one call can take as arguments. */
const MANY = 130_000;
const options = { reserveBytes: 0, autoCompact: false };

const BATCH = 10_000;

async function writeNotes(store: DiskStore, topic: (i: number) => string): Promise<void> {
  for (let from = 0; from < MANY; from += BATCH) {
    const notes = Array.from({ length: BATCH }, (_, k): StoreEntry => {
      const event = { kind: "note", topic: topic(from + k), body: from + k } as const;
      return { op: "event", agentId: "a", event };
    });
    await store.commit(notes);
  }
}

it("follows an agent of which another process has written a hundred and thirty thousand entries since the last look", async () => {
  const disk = new FaultyFileSystem();
  const writer = new DiskStore("/store", { fs: disk.process(), ...options });
  await writer.acquire("a");
  await writer.commit([put("a", 1, { n: 1 })]);
  const reader = new DiskStore("/store", { fs: disk.process(), ...options });
  expect(await reader.list("a")).toHaveLength(1);
  await writeNotes(writer, () => "one");
  await writer.commit([put("a", 2, { n: 2 })]);
  expect(await reader.list("a")).toHaveLength(2);
  expect((await reader.agent("a"))?.notes).toEqual({ one: MANY - 1 });
  await reader.close();
  await writer.close();
});

it("compacts an agent of a hundred and thirty thousand entries, and one of as many facts that all still count", async () => {
  for (const topic of [() => "one", (i: number) => `topic ${i}`]) {
    const disk = new FaultyFileSystem();
    const store = new DiskStore("/store", { fs: disk.process(), ...options });
    await store.acquire("a");
    await store.commit([put("a", 1, { n: 1 })]);
    await writeNotes(store, topic);
    const before = await store.agent("a");
    await store.compact();
    await store.close();
    const reopened = new DiskStore("/store", { fs: disk.process(), ...options });
    expect(await reopened.agent("a")).toEqual(before);
    expect((await reopened.load("a", "a:1")).toValue()).toEqual({ n: 1 });
    expect(reopened.takeFindings()).toEqual([]);
    await reopened.close();
  }
});
