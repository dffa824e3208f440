import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { Snapshot } from "@ckpt/core";
import { DiskStore } from "@ckpt/disk";
import { nodeFileSystem } from "@ckpt/io";
import { expect, it } from "vitest";
import { findingsOf, freshDirectory, put, saveAll } from "./support/store.js";

const options = { autoCompact: false, reserveBytes: 0 };
const apart = (directory: string) => new DiskStore(directory, { ...options, fs: { ...nodeFileSystem } });
const stateOf = (i: number) => ({ text: "q".repeat(20_000), i });

/** Damages record `index` (from 0: the header) of the only writer's first segment. */
function damageRecord(directory: string, index: number): void {
  const [writer] = readdirSync(path.join(directory, "writers"));
  const file = path.join(directory, "writers", writer!, "00000001.seg");
  const bytes = readFileSync(file);
  let at = 0;
  for (let i = 0; i < index; i++) at += 40 + bytes.readUInt32LE(at + 4);
  bytes[at + 60]! ^= 1;
  writeFileSync(file, bytes);
}

/** What a store says of the agent. */
async function seen(store: DiskStore) {
  const ids = (await store.list("a")).map(({ id }) => id);
  const { count, headId, lastSequence, pinnedIds } = (await store.agent("a"))!;
  return { ids, count, headId, lastSequence, pinnedIds };
}

it("lists after a repair what another process lists, where the agent is held", async () => {
  const directory = await freshDirectory();
  const store = apart(directory);
  await store.acquire("a");
  await saveAll(store, "a", 10, stateOf);
  await store.commit([
    { op: "event", agentId: "a", event: { kind: "pinned", checkpointId: "a:7" } },
    { op: "event", agentId: "a", event: { kind: "pinned", checkpointId: "a:2" } },
  ]);
  damageRecord(directory, 5);
  const { lostIds } = await store.repair();
  expect([...lostIds].sort()).toEqual(["a:10", "a:5", "a:6", "a:7", "a:8", "a:9"]);
  const other = apart(directory);
  expect(await seen(store)).toEqual(await seen(other));
  expect(await seen(store)).toEqual({
    ...{ ids: ["a:1", "a:2", "a:3", "a:4"], count: 4, headId: "a:4", lastSequence: 10, pinnedIds: ["a:2"] },
  });
  await other.close();
  await store.commit([put("a", 11, stateOf(11))]);
  for (const { id, sequence } of await store.list("a"))
    expect((await store.load("a", id)).toValue()).toEqual(stateOf(sequence));
  await store.close();
  const later = apart(directory);
  expect(await seen(later)).toMatchObject({ ids: ["a:1", "a:2", "a:3", "a:4", "a:11"], headId: "a:11" });
  expect(await findingsOf(later)).toEqual([]);
  await later.close();
});

it("keeps the head, and saves that come while the repair goes on", async () => {
  const directory = await freshDirectory();
  const store = apart(directory);
  await store.acquire("a");
  let previous: Snapshot | undefined;
  for (let i = 1; i <= 6; i++) {
    const entry = put("a", i, stateOf(i), { previous });
    previous = entry.snapshot;
    await store.commit([entry]);
  }
  damageRecord(directory, 3);
  let isOver = false;
  const repairing = store.repair().finally(() => {
    isOver = true;
  });
  let last = 6;
  do {
    last++;
    const entry = put("a", last, stateOf(last), { previous });
    previous = entry.snapshot;
    await store.commit([entry]);
  } while (!isOver);
  const { lostIds } = await repairing;
  expect(lostIds).toContain("a:3");
  const other = apart(directory);
  expect(await seen(store)).toEqual(await seen(other));
  expect(await seen(store)).toMatchObject({ headId: `a:${last}`, lastSequence: last });
  for (const { id, sequence } of await store.list("a"))
    expect((await store.load("a", id)).toValue()).toEqual(stateOf(sequence));
  await other.close();
  await store.close();
});
