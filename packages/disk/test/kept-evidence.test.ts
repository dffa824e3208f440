import { readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import type { StoreEntry, StoreEvent } from "@ckpt/core";
import { DiskStore } from "@ckpt/disk";
import { nodeFileSystem } from "@ckpt/io";
import { expect, it } from "vitest";
import { freshDirectory, put, remove, saveAll } from "./support/store.js";

async function segmentsOf(directory: string): Promise<string[]> {
  const writers = path.join(directory, "writers");
  const found: string[] = [];
  for (const writer of await readdir(writers))
    for (const name of await readdir(path.join(writers, writer)))
      if (name.endsWith(".seg")) found.push(path.join(writers, writer, name));
  return found;
}

it("keeps a rollback when repair leaves out the head that was saved after it", async () => {
  const directory = await freshDirectory();
  const store = new DiskStore(directory);
  await store.acquire("a");
  await saveAll(store, "a", 5, (i) => ({ i }));
  const event = { kind: "head", checkpointId: "a:2", reason: "rollback" } as const;
  await store.commit([{ op: "event", agentId: "a", event }]);
  await store.commit([put("a", 6, { i: 6, text: "to be damaged ".repeat(40) }, { parentId: "a:2" })]);
  await store.close();

  const [file] = await segmentsOf(directory);
  const bytes = await readFile(file!);
  bytes[bytes.indexOf("to be damaged")]! ^= 1;
  await writeFile(file!, bytes);

  const again = new DiskStore(directory);
  expect((await again.repair()).lostIds).toEqual(["a:6"]);
  expect((await again.agent("a"))?.headId).toBe("a:2");
  await again.close();
});

it("goes on naming a deleted segment after compaction", async () => {
  const directory = await freshDirectory();
  const store = new DiskStore(directory);
  await store.acquire("a");
  await saveAll(store, "a", 3, (i) => ({ i }));
  await store.close();
  const [file] = await segmentsOf(directory);
  await rm(file!);

  const second = new DiskStore(directory, { autoCompact: false });
  await second.acquire("b");
  await second.commit([put("b", 1, { i: 1 })]);
  await second.compact();
  await second.close();

  const third = new DiskStore(directory);
  await third.agents();
  const missing = third.takeFindings().filter(({ kind }) => kind === "missing");
  expect(missing.flatMap(({ affectedIds }) => affectedIds)).toEqual(["a:1", "a:2", "a:3"]);
  await third.repair();
  await third.close();

  const fourth = new DiskStore(directory);
  await fourth.agents();
  expect(fourth.takeFindings()).toEqual([]);
  await fourth.close();
});

it("keeps a guard closed whose beginning stands in a segment that compaction cannot take", async () => {
  const directory = await freshDirectory();
  // Stores with a file system of their own share nothing, as in two processes.
  const apart = () => new DiskStore(directory, { fs: { ...nodeFileSystem }, autoCompact: false });
  const event = (body: StoreEvent): StoreEntry => ({ op: "event", agentId: "a", event: body });
  const first = apart();
  const lease = await first.acquire("a");
  const guard = { guardId: "g", operation: "migrate", checkpointId: "a:1" };
  await first.commit([
    put("a", 1, { i: 1 }),
    event({ kind: "guard-begun", ...guard }),
    event({ kind: "pinned", checkpointId: "a:1" }),
  ]);
  await lease.release();

  const second = apart();
  await second.acquire("a");
  await second.commit([
    event({ kind: "guard-done", guardId: "g", outcome: "dismissed" }),
    event({ kind: "unpinned", checkpointId: "a:1" }),
  ]);
  await second.compact();
  const reader = apart();
  expect(await reader.agent("a")).toMatchObject({ openGuards: [], pinnedIds: [] });
  await reader.close();
  await second.close();
  await first.close();
});

it("keeps a removal while the directory that held its target is gone, should it be brought back", async () => {
  const directory = await freshDirectory();
  const apart = () => new DiskStore(directory, { fs: { ...nodeFileSystem }, autoCompact: false });
  const first = apart();
  await first.acquire("a");
  await saveAll(first, "a", 2, (i) => ({ i }));
  await first.close();
  const [writer] = await readdir(path.join(directory, "writers"));
  const place = path.join(directory, "writers", writer!);
  const away = path.join(directory, "..", "away");
  const second = apart();
  await second.acquire("a");
  await second.commit([remove("a", 1)]);
  await second.commit([put("a", 3, { i: 3 })]);
  await second.close();

  await rename(place, away);
  const third = apart();
  await third.compact();
  expect((await third.list("a")).map(({ id }) => id)).toEqual(["a:3"]);
  await third.close();

  await rename(away, place);
  const fourth = apart();
  expect((await fourth.list("a")).map(({ id }) => id)).toEqual(["a:2", "a:3"]);
  await fourth.compact();
  await fourth.close();
  const fifth = apart();
  expect((await fifth.list("a")).map(({ id }) => id)).toEqual(["a:2", "a:3"]);
  await fifth.close();
});
