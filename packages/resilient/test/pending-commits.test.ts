import { type StoreEntry, snapshot } from "@ckpt/core";
import { type DegradationOptions, withDegradation } from "@ckpt/resilient";
import { describe, expect, it } from "vitest";
import { errorOf, put } from "./support/agent-bench.js";
import { FaultyStore, ioError } from "./support/faulty-store.js";

function degrading(options: DegradationOptions = {}) {
  const inner = new FaultyStore();
  const slow = { minFlushDelayMs: 60_000, maxFlushDelayMs: 60_000 };
  return { inner, store: withDegradation(inner, { ...slow, ...options }) };
}
const event = (agentId: string, what: Extract<StoreEntry, { op: "event" }>["event"]): StoreEntry => ({
  op: "event",
  agentId,
  event: what,
});
const named = (id: string, entry: ReturnType<typeof put>) => ({ ...entry, header: { ...entry.header, id } });
const removal = (agentId: string, ...ids: string[]): StoreEntry => ({
  op: "remove",
  agentId,
  ids,
  reason: "test",
});

describe("a state that is in memory only", () => {
  it("is that of its agent, where two agents have one id", async () => {
    const { inner, store } = degrading();
    inner.fail("commit", ioError("EIO"));
    await store.commit([named("imported", put("a", 1, "of a"))]);
    await store.commit([named("imported", put("b", 1, "of b"))]);
    expect((await store.load("a", "imported")).toValue()).toBe("of a");
    expect((await store.load("b", "imported")).toValue()).toBe("of b");
  });

  it("is the newest of its id, also once the one before is written", async () => {
    const { inner, store } = degrading();
    inner.fail("commit", ioError("EIO"));
    await store.commit([named("x", put("a", 1, "old"))]);
    for (let n = 2; n <= 32; n++) await store.commit([put("a", n, n)]);
    await store.commit([removal("a", "x")]);
    await store.commit([named("x", put("a", 33, "new"))]);
    inner.heal();
    inner.failFrom("commit", 2, ioError("EIO"));
    expect(await store.flush()).toBe(false);
    expect((await store.load("a", "x")).toValue()).toBe("new");
  });
});

describe("the memory of the degraded mode", () => {
  const text = (letter: string) => ({ text: letter.repeat(5_000) });

  it("counts a state whole once the one that it shared with is written", async () => {
    const { inner, store } = degrading();
    inner.fail("commit", ioError("EIO"));
    let previous = snapshot({ ...text("x"), n: 0 });
    for (let n = 1; n <= 40; n++) {
      await store.commit([{ ...put("a", n, null), snapshot: previous }]);
      previous = snapshot({ ...text("x"), n }, { previous });
    }
    inner.heal();
    inner.failFrom("commit", 2, ioError("EIO"));
    expect(await store.flush()).toBe(false);
    expect(store.health().pendingCommits).toBe(8);
    expect(store.health().pendingBytes).toBeGreaterThan(5_000);
  });

  it("counts a state whole of which nothing waits any more, though another agent is held up", async () => {
    const { inner, store } = degrading();
    await inner.commit([put("stuck", 1, 1)]);
    inner.unplug();
    await store.commit([put("stuck", 1, "other")]);
    await store.commit([put("a", 1, text("x"))]);
    inner.heal();
    expect(await store.flush()).toBe(false);
    expect(store.health().pendingIds).toEqual(["stuck:1"]);
    inner.fail("commit", ioError("EIO"));
    const before = store.health().pendingBytes;
    await store.commit([put("a", 2, text("x"))]);
    expect(store.health().pendingBytes - before).toBeGreaterThan(5_000);
  });

  it("counts metadata and notes, which may be large", async () => {
    const { inner, store } = degrading({ maxBytes: 20_000 });
    inner.fail("commit", ioError("EIO"));
    const large = put("a", 1, 1);
    const metadata = { custom: text("m") };
    await store.commit([{ ...large, header: { ...large.header, metadata } }]);
    expect(store.health().pendingBytes).toBeGreaterThan(5_000);
    const note = event("a", { kind: "note", topic: "t", body: "n".repeat(30_000) });
    expect((await errorOf(store.commit([note]))).code).toBe("CKPT_MEMORY_FULL");
  });
});

describe("giving up one agent's part", () => {
  it("writes the others' part once, though it is being written meanwhile", async () => {
    const { inner, store } = degrading();
    await store.commit([put("a", 1, 1), put("b", 1, 1)]);
    inner.fail("commit", ioError("EIO"));
    await store.commit([
      event("a", { kind: "head", checkpointId: "a:1", reason: "restore" }),
      event("b", { kind: "head", checkpointId: "b:1", reason: "restore" }),
    ]);
    await store.commit([put("b", 2, 2)]);
    inner.heal();
    const open = inner.hold();
    const flushing = store.flush();
    await store.settle("a", { discard: true });
    open();
    await flushing;
    await store.flush();
    expect((await inner.agent("b"))?.headId).toBe("b:2");
  });
});
