import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { DiskStore } from "@ckpt/disk";
import { nodeFileSystem } from "@ckpt/io";
import { expect, it } from "vitest";
import { readHintDirectory, readHintEntries } from "../src/hint-file.js";
import { codeOf, filesOf, findingsOf, freshDirectory, put, saveAll } from "./support/store.js";

async function closedStore(): Promise<{ directory: string; hint: string }> {
  const directory = await freshDirectory();
  const store = new DiskStore(directory);
  for (const agentId of ["a", "b"]) {
    await store.acquire(agentId);
    await saveAll(store, agentId, 30, (i) => ({ agentId, i, text: "x".repeat(i) }));
  }
  await store.close();
  const hint = [...(await filesOf(directory)).keys()].find((name) => name.endsWith(".hint"))!;
  return { directory, hint: path.join(directory, hint) };
}

async function expectWhole(directory: string): Promise<void> {
  const store = new DiskStore(directory);
  for (const agentId of ["a", "b"]) {
    const headers = await store.list(agentId);
    expect(headers.map(({ metadata }) => metadata)).toEqual(
      Array.from({ length: 30 }, (_, i) => ({ turn: i + 1 })),
    );
    for (const i of [1, 17, 30]) {
      expect((await store.load(agentId, `${agentId}:${i}`)).toValue()).toEqual({
        agentId,
        i,
        text: "x".repeat(i),
      });
    }
  }
  await store.close();
}

it("is there after close, and is enough to list everything", async () => {
  const { directory, hint } = await closedStore();
  const found = await readHintDirectory(nodeFileSystem, hint);
  expect([...found!.agents.keys()].sort()).toEqual(["a", "b"]);
  await expectWhole(directory);
});

it("holds more entries of an agent than one block does, each once and in order", async () => {
  const directory = await freshDirectory();
  const store = new DiskStore(directory);
  await store.acquire("a");
  await store.commit(Array.from({ length: 1_300 }, (_, i) => put("a", i + 1, { i })));
  await store.close();
  const hint = path.join(directory, [...(await filesOf(directory)).keys()].find((n) => n.endsWith(".hint"))!);
  const found = await readHintDirectory(nodeFileSystem, hint);
  expect(found?.agents.get("a")?.blocks).toHaveLength(3);
  const segment = { writerId: "w", number: 1 };
  const entries = await readHintEntries(nodeFileSystem, hint, found!, "a", segment);
  expect(entries?.map((entry) => entry.kind === "put" && entry.header.sequence)).toEqual(
    Array.from({ length: 1_300 }, (_, i) => i + 1),
  );
});

it("is not needed", async () => {
  const { directory, hint } = await closedStore();
  await nodeFileSystem.unlink(hint);
  await expectWhole(directory);
});

it("is not believed when any of its bytes is wrong, and repair writes it anew", async () => {
  const { directory, hint } = await closedStore();
  const bytes = await readFile(hint);
  for (let at = 0; at < bytes.length; at += 37) {
    const bad = Buffer.from(bytes);
    bad[at]! ^= 0x10;
    await writeFile(hint, bad);
    await expectWhole(directory);
  }
  const bad = bytes.subarray(0, bytes.length - 3);
  await writeFile(hint, bad);
  const store = new DiskStore(directory);
  expect((await findingsOf(store)).map(({ kind, place }) => [kind, place])).toEqual([["stale", hint]]);
  expect((await store.repair({ dryRun: true })).actions).toMatchObject([{ kind: "rebuild", place: hint }]);
  expect((await readFile(hint)).equals(bad)).toBe(true);
  await store.repair();
  expect(await findingsOf(store)).toEqual([]);
  expect(await codeOf(store.load("a", "a:30"))).toBe("none");
  await store.close();
  expect(await readHintDirectory(nodeFileSystem, hint)).toBeDefined();
});
