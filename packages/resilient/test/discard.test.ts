import { withDegradation } from "@ckpt/resilient";
import { describe, expect, it } from "vitest";
import { agentOver, put } from "./support/agent-bench.js";
import { FaultyStore, ioError } from "./support/faulty-store.js";

describe("close({ discard: true }) while a close waits for the flush", () => {
  it("ends that wait in a store", async () => {
    const inner = new FaultyStore();
    const store = withDegradation(inner, { minFlushDelayMs: 60_000, maxFlushDelayMs: 60_000 });
    inner.fail("commit", ioError("EIO"));
    await store.commit([put("a", 1, 1)]);
    const waiting = store.close({ timeoutMs: 60_000 });
    await store.close({ discard: true });
    await waiting;
    expect(store.health().pendingCommits).toBe(0);
  });

  it("ends that wait in a manager, and gives up what is its own only", async () => {
    const store = new FaultyStore();
    const one = agentOver<number>(store, 1, { agentId: "a", retry: false });
    const two = agentOver<number>(store, 1, { agentId: "b", retry: false });
    for (const { manager } of [one, two]) await manager.createCheckpoint();
    store.fail("commit", ioError("EIO"));
    for (const { manager } of [one, two]) await manager.createCheckpoint();
    const waiting = one.manager.close({ timeoutMs: 60_000 });
    await one.manager.close({ discard: true });
    await waiting;
    expect(one.manager.closed).toBe(true);
    expect(two.manager.status().pendingIds).toEqual(["b:2"]);
    store.heal();
    await two.manager.close();
  });

  it("gives up nothing of the next manager of the agent, once the close is done", async () => {
    const store = new FaultyStore();
    const one = agentOver<number>(store, 1, { retry: false });
    await one.manager.createCheckpoint();
    await one.manager.close();
    const two = agentOver<number>(store, 1, { retry: false });
    await two.manager.createCheckpoint();
    store.fail("commit", ioError("EIO"));
    await two.manager.createCheckpoint();
    await one.manager.close({ discard: true });
    expect(two.manager.status().pendingIds).toEqual(["a:3"]);
  });
});
