import { utimes, writeFile } from "node:fs/promises";
import path from "node:path";
import { FaultyFileSystem } from "@ckpt/conformance";
import { DiskStore } from "@ckpt/disk";
import { expect, it } from "vitest";
import {
  bytesOf,
  codeOf,
  filesOf,
  findingsOf,
  freshDirectory,
  put,
  remove,
  saveAll,
} from "./support/store.js";

const stateOf = (agentId: string) => (i: number) => ({
  agentId,
  log: Array.from(
    { length: 12 },
    (_, k) => `line ${Math.floor((i + k) / 3)} of ${agentId} ${"text ".repeat(9)}`,
  ),
  i,
});

it("gives back what was removed and keeps the rest exactly: headers, states, order, facts", async () => {
  const directory = await freshDirectory();
  const store = new DiskStore(directory, { segmentBytes: 16_384, autoCompact: false });
  for (const agentId of ["a", "b"]) {
    await store.acquire(agentId);
    await saveAll(store, agentId, 120, stateOf(agentId));
  }
  const kept = (sequence: number) => sequence % 10 === 0 || sequence > 115;
  await store.commit([remove("a", ...Array.from({ length: 120 }, (_, i) => i + 1).filter((i) => !kept(i)))]);
  await store.commit([
    { op: "event", agentId: "a", event: { kind: "head", checkpointId: "a:40", reason: "rollback" } },
    {
      op: "event",
      agentId: "a",
      event: { kind: "guard-begun", guardId: "g", operation: "op", checkpointId: "a:40" },
    },
    { op: "event", agentId: "a", event: { kind: "pinned", checkpointId: "a:50" } },
    { op: "event", agentId: "b", event: { kind: "note", topic: "t", body: { x: [1] } } },
  ]);
  await store.commit([remove("b", 120)]);
  const before = {
    a: await store.list("a"),
    b: await store.list("b"),
    sa: await store.agent("a"),
    sb: await store.agent("b"),
  };
  const report = await store.compact();
  expect(report.bytesAfter).toBeLessThan(report.bytesBefore);
  expect(report.removedFiles).toBeGreaterThan(1);
  const check = async (candidate: DiskStore) => {
    expect({
      a: await candidate.list("a"),
      b: await candidate.list("b"),
      sa: await candidate.agent("a"),
      sb: await candidate.agent("b"),
    }).toEqual(before);
    for (const agentId of ["a", "b"]) {
      for (const { id, sequence, stateHash } of await candidate.list(agentId)) {
        const loaded = await candidate.load(agentId, id);
        expect(loaded.toValue()).toEqual(stateOf(agentId)(sequence));
        expect(loaded.hash).toBe(stateHash);
      }
    }
    expect(await findingsOf(candidate)).toEqual([]);
  };
  expect(before.sb).toMatchObject({ headId: null, lastSequence: 120, count: 119 });
  await check(store);
  await store.close();
  const again = new DiskStore(directory, { autoCompact: false });
  await check(again);
  await again.acquire("a");
  await again.compact();
  await check(again);
  expect(await codeOf(again.commit([put("a", 120, 1)]))).toBe("CKPT_CONFLICT");
  await again.commit([put("a", 121, { i: 121 })]);
  expect((await again.agent("a"))?.headId).toBe("a:121");
  await again.close();
});

it("leaves alone what is compact already", async () => {
  const directory = await freshDirectory();
  const store = new DiskStore(directory, { autoCompact: false });
  await store.acquire("a");
  await saveAll(store, "a", 50, stateOf("a"));
  await store.compact();
  const files = async () =>
    [...(await filesOf(directory))].filter(([name]) => !name.startsWith("maintenance"));
  const before = await files();
  const report = await store.compact();
  expect(report.bytesAfter).toBe(report.bytesBefore);
  expect(await files()).toEqual(before);
  await store.close();
});

it("folds the directories of dead writers into one", async () => {
  const directory = await freshDirectory();
  for (let i = 1; i <= 12; i++) {
    const store = new DiskStore(directory, { autoCompact: false });
    await store.acquire("a");
    await store.commit([put("a", i, { i })]);
    await store.close();
  }
  const writers = async () =>
    new Set([...(await filesOf(directory)).keys()].flatMap((name) => /^writers\/[^/]+/.exec(name) ?? []));
  expect((await writers()).size).toBe(12);
  const store = new DiskStore(directory, { autoCompact: false });
  await store.compact();
  expect((await writers()).size).toBe(1);
  expect(await store.list("a")).toHaveLength(12);
  for (let i = 1; i <= 12; i++) expect((await store.load("a", `a:${i}`)).toValue()).toEqual({ i });
  await store.close();
});

it("does so by itself when many have come together, and gives back space when much was removed", async () => {
  const directory = await freshDirectory();
  for (let i = 1; i <= 12; i++) {
    const store = new DiskStore(directory, { autoCompact: false });
    await store.acquire("a");
    await store.commit([put("a", i, { i })]);
    await store.close();
  }
  const store = new DiskStore(directory);
  await store.acquire("a");
  await store.commit([put("a", 13, { i: 13 })]);
  const writers = async () =>
    new Set([...(await filesOf(directory)).keys()].flatMap((name) => /^writers\/[^/]+/.exec(name) ?? []));
  await expect.poll(async () => (await writers()).size, { timeout: 10_000 }).toBe(1);
  for (let i = 14; i <= 60; i++) {
    await store.commit([put("a", i, { bytes: Buffer.alloc(500_000, i) })]);
    if (i > 16) await store.commit([remove("a", i - 2)]);
  }
  await expect.poll(() => bytesOf(directory), { timeout: 20_000 }).toBeLessThan(20_000_000);
  expect((await store.load("a", "a:60")).toValue()).toEqual({ bytes: Buffer.alloc(500_000, 60) });
  expect(store.takeFindings()).toEqual([]);
  await store.close();
});

it("lets a reader go on that had opened the store before", async () => {
  const fs = new FaultyFileSystem();
  const store = new DiskStore("/store", { fs, autoCompact: false });
  await store.acquire("a");
  await saveAll(store, "a", 30, stateOf("a"));
  const reader = new DiskStore("/store", { fs: fs.process() });
  const headers = await reader.list("a");
  await store.commit([remove("a", 3)]);
  await store.compact();
  for (const { id, sequence } of headers) {
    if (sequence === 3) expect(await codeOf(reader.load("a", id))).toBe("CKPT_NOT_FOUND");
    else expect((await reader.load("a", id)).toValue()).toEqual(stateOf("a")(sequence));
  }
  expect(reader.takeFindings()).toEqual([]);
  await reader.close();
  await store.close();
});

it("serves the holder of an agent whose older checkpoints another process has moved", async () => {
  const fs = new FaultyFileSystem();
  const former = new DiskStore("/store", { fs: fs.process(), autoCompact: false });
  await former.acquire("a");
  await saveAll(former, "a", 10, stateOf("a"));
  await former.close();
  const holder = new DiskStore("/store", { fs: fs.process(), autoCompact: false });
  await holder.acquire("a");
  await holder.commit([put("a", 11, { i: 11 })]);
  const other = new DiskStore("/store", { fs: fs.process(), autoCompact: false });
  const report = await other.compact();
  expect(report.removedFiles).toBeGreaterThan(0);
  expect((await holder.load("a", "a:4")).toValue()).toEqual(stateOf("a")(4));
  await holder.commit([remove("a", 4), put("a", 12, { i: 12 })]);
  expect(await codeOf(other.load("a", "a:4"))).toBe("CKPT_NOT_FOUND");
  expect((await other.load("a", "a:12")).toValue()).toEqual({ i: 12 });
  await holder.close();
  await other.compact();
  expect((await other.list("a")).map(({ sequence }) => sequence)).toEqual([
    1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12,
  ]);
  await other.close();
});

it("is refused while another process is at it", async () => {
  const fs = new FaultyFileSystem();
  const one = new DiskStore("/store", { fs: fs.process(), autoCompact: false });
  const two = new DiskStore("/store", { fs: fs.process(), autoCompact: false });
  for (const [store, agentId] of [
    [one, "a"],
    [two, "b"],
  ] as const) {
    await store.acquire(agentId);
    await saveAll(store, agentId, 20, stateOf(agentId));
  }
  const results = await Promise.allSettled([one.compact(), two.compact()]);
  for (const result of results) {
    if (result.status === "rejected") expect(result.reason).toMatchObject({ code: "CKPT_LOCKED" });
  }
  for (const agentId of ["a", "b"]) expect(await one.list(agentId)).toHaveLength(20);
  await Promise.all([one.close(), two.close()]);
});

it("sweeps temporary files that crashes have left, and not those that are in use", async () => {
  const directory = await freshDirectory();
  const store = new DiskStore(directory, { autoCompact: false });
  await store.acquire("a");
  await saveAll(store, "a", 5, stateOf("a"));
  const [old, fresh] = ["0", "1"].map((digit) =>
    path.join(directory, "heads", `.ckpt-${digit.repeat(24)}.tmp`),
  ) as [string, string];
  for (const file of [old, fresh]) await writeFile(file, "left over");
  const hourAgo = new Date(Date.now() - 3_600_000);
  await utimes(old, hourAgo, hourAgo);
  await store.compact();
  const names = [...(await filesOf(directory)).keys()].map((name) => path.join(directory, name));
  expect(names).not.toContain(old);
  expect(names).toContain(fresh);
  await store.close();
});
