import { FaultyFileSystem } from "@ckpt/conformance";
import { type CheckpointStore, type StoreEntry, snapshot } from "@ckpt/core";
import { DiskStore } from "@ckpt/disk";
import { describe, expect, it } from "vitest";

const open = (fs: FaultyFileSystem) =>
  new DiskStore("/store", {
    fs,
    segmentBytes: 64_000,
    reserveBytes: 0,
    autoCompact: false,
    maxChainDeltas: 0,
  });

function put(sequence: number): StoreEntry {
  const header = {
    ...{ id: `a:${sequence}`, agentId: "a", sequence, name: "x", parentId: null, metadata: {} },
    ...{ timestamp: new Date(sequence).toISOString(), schemaVersion: null },
  };
  return { op: "put", header, snapshot: snapshot({ sequence, text: `state ${sequence} `.repeat(30) }) };
}

/** The segment that holds `text`, and where. */
async function find(fs: FaultyFileSystem, text: string): Promise<{ path: string; at: number }> {
  for (const writer of await fs.readdir("/store/writers"))
    for (const name of await fs.readdir(`/store/writers/${writer}`)) {
      if (!name.endsWith(".seg")) continue;
      const path = `/store/writers/${writer}/${name}`;
      const handle = await fs.open(path, { access: "read" });
      const bytes = Buffer.alloc((await handle.stat()).size);
      await handle.read(bytes, 0, bytes.length, 0);
      await handle.close();
      const at = bytes.indexOf(text);
      if (at !== -1) return { path, at };
    }
  throw new Error(`${text} is in no segment`);
}

/** Damages the record that holds `text`, and takes the hint away that would say what was there. */
async function damage(fs: FaultyFileSystem, text: string): Promise<void> {
  const { path, at } = await find(fs, text);
  const handle = await fs.open(path, { access: "readWrite" });
  await handle.write([Buffer.from("X")], at);
  await handle.close();
  await fs.unlink(path.replace(/seg$/, "hint"));
}

async function lostAndNamed(store: CheckpointStore): Promise<{ present: string[]; named: string[] }> {
  const named = new Set<string>();
  for await (const { affectedIds } of store.verify()) for (const id of affectedIds) named.add(id);
  const present = (await store.list("a")).map(({ id }) => id);
  await store.close();
  return { present, named: [...named].sort() };
}

async function written(compacts: boolean): Promise<FaultyFileSystem> {
  const fs = new FaultyFileSystem();
  const store = open(fs);
  await store.acquire("a");
  for (let n = 1; n <= 9; n++) await store.commit([put(n)]);
  await store.commit([{ op: "remove", agentId: "a", ids: ["a:2", "a:6"], reason: "test" }]);
  if (compacts) await store.compact();
  await store.close();
  return fs;
}

describe("what verify says of damage where no hint is left", () => {
  it("names a checkpoint that compaction kept and that is lost since, and no removed one", async () => {
    const fs = await written(true);
    await damage(fs, "state 5 ");
    const { present, named } = await lostAndNamed(open(fs));
    expect(present).not.toContain("a:5");
    expect(named).toEqual(["a:5"]);
  });

  it("names the newest checkpoint when compaction kept it and it is lost since", async () => {
    const fs = await written(true);
    await damage(fs, "state 9 ");
    expect((await lostAndNamed(open(fs))).named).toEqual(["a:9"]);
  });

  it("names the last checkpoint of a segment by the recorded head", async () => {
    const fs = new FaultyFileSystem();
    const store = open(fs);
    await store.acquire("a");
    for (let n = 1; n <= 4; n++) await store.commit([put(n)]);
    await store.close();
    await damage(fs, "state 4 ");
    const { present, named } = await lostAndNamed(open(fs));
    expect(present).toEqual(["a:1", "a:2", "a:3"]);
    expect(named).toEqual(["a:4"]);
  });

  it("says nothing of what was removed", async () => {
    expect((await lostAndNamed(open(await written(true)))).named).toEqual([]);
    expect((await lostAndNamed(open(await written(false)))).named).toEqual([]);
  });
});
