import type { StoreEntry } from "@ckpt/core";
import { withDegradation } from "@ckpt/resilient";
import { describe, expect, it } from "vitest";
import { errorOf, put } from "./support/agent-bench.js";
import { FaultyStore, ioError } from "./support/faulty-store.js";

function degrading() {
  const inner = new FaultyStore();
  return { inner, store: withDegradation(inner, { minFlushDelayMs: 60_000, maxFlushDelayMs: 60_000 }) };
}
const event = (agentId: string, what: Extract<StoreEntry, { op: "event" }>["event"]): StoreEntry => ({
  op: "event",
  agentId,
  event: what,
});
const removal = (agentId: string, ...ids: string[]): StoreEntry => ({
  op: "remove",
  agentId,
  ids,
  reason: "test",
});

describe("what is known of an agent whose place cannot be read", () => {
  it("has what was flushed since the agent was taken", async () => {
    const { inner, store } = degrading();
    await store.acquire("a");
    await store.commit([put("a", 1, 1)]);
    inner.fail("commit", ioError("EIO"));
    await store.commit([put("a", 2, 2), event("a", { kind: "pinned", checkpointId: "a:2" })]);
    inner.heal();
    expect(await store.flush()).toBe(true);
    inner.unplug();
    await store.commit([event("a", { kind: "pinned", checkpointId: "a:1" })]);
    const { lastSequence, headId, pinnedIds } = (await store.agent("a"))!;
    expect([lastSequence, headId, pinnedIds]).toEqual([2, "a:2", ["a:2", "a:1"]]);
    expect((await errorOf(store.commit([put("a", 2, "other")]))).code).toBe("CKPT_IO");
  });
});

describe("the count of an agent's checkpoints", () => {
  it("holds where what is removed is not there", async () => {
    const { inner, store } = degrading();
    await store.commit([put("a", 1, 1), put("a", 2, 2)]);
    inner.fail("commit", ioError("EIO"));
    await store.commit([removal("a", "a:1", "a:7")]);
    expect((await store.agent("a"))?.count).toBe(1);
  });

  it("holds where a removal that was reported as failed had done its work", async () => {
    const { inner, store } = degrading();
    await store.commit([put("a", 1, 1), put("a", 2, 2)]);
    inner.fail("commit", ioError("EIO"), { afterwards: true });
    await store.commit([removal("a", "a:1")]);
    expect((await store.agent("a"))?.count).toBe(1);
  });
});
