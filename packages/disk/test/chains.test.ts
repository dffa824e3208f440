import { type Snapshot, snapshot } from "@ckpt/core";
import { DiskStore } from "@ckpt/disk";
import { expect, it } from "vitest";
import { bytesOf, filesOf, freshDirectory, put, remove, saveAll } from "./support/store.js";

const turn = (i: number) => ({
  role: i % 2 ? "user" : "assistant",
  content: `${i} ${"some words of a turn ".repeat(90)}`,
  at: i,
});

it("keeps 1,000 turns that grow to about 2 MB in less than 4 times the last state, all of them restorable", async () => {
  const directory = await freshDirectory();
  const store = new DiskStore(directory);
  await store.acquire("a");
  const messages: unknown[] = [];
  let previous: Snapshot | undefined;
  for (let i = 1; i <= 1000; i++) {
    messages.push(turn(i));
    const entry = put("a", i, { turn: i, messages }, { previous });
    previous = entry.snapshot;
    await store.commit([entry]);
  }
  await store.close();
  const final = JSON.stringify({ turn: 1000, messages }).length;
  expect(final).toBeGreaterThan(1_900_000);
  expect(await bytesOf(directory)).toBeLessThan(4 * final);
  const again = new DiskStore(directory);
  expect(await again.list("a")).toHaveLength(1000);
  for (const i of [1, 2, 500, 999, 1000]) {
    expect((await again.load("a", `a:${i}`)).toValue()).toEqual({ turn: i, messages: messages.slice(0, i) });
  }
  await again.close();
});

it("writes the whole state anew once a restore would read twice as much", async () => {
  const directory = await freshDirectory();
  const store = new DiskStore(directory);
  await store.acquire("a");
  // Each save replaces half of the state: a chain of more than a few such deltas costs more than the state.
  const parts = Array.from({ length: 8 }, (_, k) => `${k} ${"p".repeat(2000)}`);
  const sizes: number[] = [];
  for (let i = 1; i <= 12; i++) {
    for (let k = 0; k < 4; k++) parts[(i * 4 + k) % 8] = `${i}.${k} ${String(i % 10).repeat(2000)}`;
    sizes.push((await store.commit([put("a", i, { parts: [...parts] })])).bytesWritten);
  }
  const isKeyframe = sizes.map((size) => size > 12_000);
  expect(isKeyframe[0]).toBe(true);
  expect(isKeyframe[1]).toBe(false);
  expect(isKeyframe.slice(2).filter(Boolean).length).toBeGreaterThan(2);
  expect(isKeyframe.slice(2).filter((is) => !is).length).toBeGreaterThan(2);
  await store.close();
});

it("begins a new chain after so many deltas as the options allow", async () => {
  const store = new DiskStore(await freshDirectory(), { maxChainDeltas: 3 });
  await store.acquire("a");
  const base = "b".repeat(20_000);
  const sizes: number[] = [];
  for (let i = 1; i <= 9; i++) sizes.push((await store.commit([put("a", i, { base, i })])).bytesWritten);
  expect(sizes.map((size) => size > 20_000)).toEqual([
    true,
    false,
    false,
    false,
    true,
    false,
    false,
    false,
    true,
  ]);
  await store.close();
});

it("writes next to nothing for a state that is the same as before", async () => {
  const store = new DiskStore(await freshDirectory());
  await store.acquire("a");
  await store.commit([put("a", 1, { text: "t".repeat(50_000) })]);
  const receipt = await store.commit([put("a", 2, { text: "t".repeat(50_000) })]);
  expect(receipt.bytesWritten).toBeLessThan(300);
  expect((await store.load("a", "a:2")).toValue()).toEqual({ text: "t".repeat(50_000) });
  await store.close();
});

it("rotates segments, begins each agent's chain anew there, and restores across all of them", async () => {
  const directory = await freshDirectory();
  const store = new DiskStore(directory, { segmentBytes: 4096 });
  for (const agentId of ["a", "b", "c"]) await store.acquire(agentId);
  const make = (agentId: string) => (i: number) => ({ agentId, i, words: "w".repeat(i * 7) });
  await Promise.all(["a", "b", "c"].map((agentId) => saveAll(store, agentId, 80, make(agentId))));
  for (const i of [1, 40, 80]) expect((await store.load("b", `b:${i}`)).toValue()).toEqual(make("b")(i));
  await store.close();
  const segments = [...(await filesOf(directory)).keys()].filter((name) => name.endsWith(".seg"));
  expect(segments.length).toBeGreaterThan(5);
  const again = new DiskStore(directory);
  for (const agentId of ["a", "b", "c"]) {
    expect((await again.list(agentId)).map(({ sequence }) => sequence)).toEqual(
      Array.from({ length: 80 }, (_, k) => k + 1),
    );
    for (const i of [1, 23, 79])
      expect((await again.load(agentId, `${agentId}:${i}`)).toValue()).toEqual(make(agentId)(i));
  }
  await again.close();
});

it("does not rotate a segment away under keyframes that would fill the next one", async () => {
  const directory = await freshDirectory();
  const store = new DiskStore(directory, { segmentBytes: 4096 });
  await store.acquire("a");
  const big = "k".repeat(30_000);
  for (let i = 1; i <= 20; i++) await store.commit([put("a", i, { big, i })]);
  await store.close();
  expect(await bytesOf(directory)).toBeLessThan(45_000);
});

it("keeps the delta's base for as long as it is needed, when the base is removed", async () => {
  const directory = await freshDirectory();
  const store = new DiskStore(directory);
  await store.acquire("a");
  await saveAll(store, "a", 6, (i) => ({ i, text: "same ".repeat(1000) }));
  await store.commit([remove("a", 1, 2, 3)]);
  expect((await store.load("a", "a:5")).toValue()).toEqual({ i: 5, text: "same ".repeat(1000) });
  await store.close();
  const again = new DiskStore(directory);
  expect((await again.load("a", "a:4")).toValue()).toEqual({ i: 4, text: "same ".repeat(1000) });
  expect(await again.get("a", "a:3")).toBeUndefined();
  await again.close();
});

it("names a state the same way before and after it was stored", async () => {
  const directory = await freshDirectory();
  const store = new DiskStore(directory);
  await store.acquire("a");
  const value = { when: new Date(5), set: new Set([1, "x"]), big: 12n, bytes: new Uint8Array(5000).fill(7) };
  const { headers } = await store.commit([put("a", 1, value)]);
  expect(headers[0]!.stateHash).toBe(snapshot(value).hash);
  await store.close();
  const again = new DiskStore(directory);
  expect((await again.load("a", "a:1")).hash).toBe(snapshot(value).hash);
  await again.close();
});
