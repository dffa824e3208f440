import { MemoryStore } from "@ckpt/core";
import { ResilientCheckpointManager, withDegradation } from "@ckpt/resilient";
import { describe, expect, it } from "vitest";
import { agentOver, errorOf, until } from "./support/agent-bench.js";
import { FaultyStore, ioError } from "./support/faulty-store.js";

describe("degraded saves through the manager", () => {
  it("say so on the receipt, as events, in the status, and are flushed in order", async () => {
    const store = new FaultyStore();
    const { agent, manager } = agentOver(store, { n: 0 });
    const seen: string[] = [];
    manager.on("degraded", () => seen.push("degraded"));
    manager.on("flushed", ({ checkpointIds }) => seen.push(...checkpointIds));
    manager.on("recovered", () => seen.push("recovered"));
    await manager.createCheckpoint();
    store.fail("commit", ioError("ENOSPC"));
    const durabilities = [];
    for (const n of [1, 2, 3]) {
      agent.state = { n };
      durabilities.push((await manager.createCheckpoint()).durability);
    }
    expect(durabilities).toEqual(["degraded", "degraded", "degraded"]);
    expect(manager.status()).toMatchObject({
      pendingCommits: 3,
      pendingIds: ["a:2", "a:3", "a:4"],
      lastError: { code: "CKPT_NO_SPACE" },
      lastSaved: { id: "a:4", durability: "degraded" },
    });
    expect(manager.status().degradedSince).toBeGreaterThan(0);
    await manager.restoreCheckpoint("a:3");
    expect(agent.state).toEqual({ n: 2 });
    store.heal();
    await until(() => seen.includes("recovered"));
    expect(seen).toEqual(["degraded", "a:2", "a:3", "a:4", "recovered"]);
    expect(await store.ids("a")).toEqual(["a:1", "a:2", "a:3", "a:4"]);
    expect((await store.agent("a"))?.headId).toBe("a:3");
    expect(manager.status()).toMatchObject({ degradedSince: null, pendingCommits: 0 });
  });

  it("need the agent: a manager that could never take it rejects with the reason", async () => {
    const store = new FaultyStore();
    store.unplug(ioError("EACCES"));
    const { manager } = agentOver(store, 1);
    const error = await errorOf(manager.createCheckpoint());
    expect(error.code).toBe("CKPT_NO_PERMISSION");
    expect(error.hint).toBeTruthy();
    store.heal();
    expect((await manager.createCheckpoint()).id).toBe("a:1");
  });

  it("can be turned off", async () => {
    const store = new FaultyStore();
    const { manager } = agentOver(store, 1, { memoryBytesWhenDegraded: 0 });
    await manager.createCheckpoint();
    store.fail("commit", ioError("ENOSPC"));
    expect((await errorOf(manager.createCheckpoint())).code).toBe("CKPT_NO_SPACE");
    store.heal();
    expect((await manager.createCheckpoint()).durability).toBe("volatile");
  });

  it("share one memory and one order among the managers of a store", async () => {
    const store = new FaultyStore();
    const one = agentOver(store, 1, { agentId: "one" });
    const two = agentOver(store, 2, { agentId: "two" });
    await one.manager.createCheckpoint();
    await two.manager.createCheckpoint();
    store.fail("commit", ioError("EIO"));
    await one.manager.createCheckpoint();
    expect((await two.manager.createCheckpoint()).durability).toBe("degraded");
    expect(two.manager.status().pendingCommits).toBe(2);
    store.heal();
    await one.manager.flush();
    expect(two.manager.status().pendingCommits).toBe(0);
  });

  it("are told to the managers of their agents only, also where one agent's id begins like another's", async () => {
    const store = new FaultyStore();
    const [one, two] = ["a", "a:b"].map((agentId) => agentOver(store, 1, { agentId }).manager);
    const heard: unknown[] = [];
    one!.on("flushed", (event) => heard.push("a", event.checkpointIds));
    two!.on("flushed", (event) => heard.push("a:b", event.checkpointIds));
    for (const manager of [one!, two!]) await manager.createCheckpoint();
    store.fail("commit", ioError("EIO"));
    await two!.createCheckpoint();
    store.heal();
    await two!.flush();
    expect(heard).toEqual(["a:b", ["a:b:2"]]);
  });

  it("take a store that degrades by itself as it is", async () => {
    const inner = new FaultyStore();
    const store = withDegradation(inner, { maxBytes: 10_000 });
    const { manager } = agentOver(store, 1);
    await manager.createCheckpoint();
    inner.fail("commit", ioError("EIO"));
    await manager.createCheckpoint();
    expect(store.health().pendingCommits).toBe(1);
  });
});

describe("close", () => {
  it("flushes first", async () => {
    const store = new FaultyStore();
    const { manager } = agentOver(store, 1);
    await manager.createCheckpoint();
    store.fail("commit", ioError("EIO"));
    await manager.createCheckpoint();
    setTimeout(() => store.heal(), 30);
    await manager.close();
    expect(await store.ids("a")).toEqual(["a:1", "a:2"]);
  });

  it("leaves no timer behind that keeps the process from ending", async () => {
    const store = new FaultyStore();
    const { manager } = agentOver(store, 1);
    await manager.createCheckpoint();
    store.fail("commit", ioError("EIO"));
    await manager.createCheckpoint();
    store.heal();
    const timers = () => process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
    const before = timers();
    await manager.close({ timeoutMs: Number.POSITIVE_INFINITY });
    expect(timers()).toBeLessThanOrEqual(before);
  });

  it("rejects with the list when something stays in memory, and leaves the manager open and usable", async () => {
    const store = new FaultyStore();
    const { manager } = agentOver(store, 1);
    await manager.createCheckpoint();
    store.fail("commit", ioError("EIO"));
    await manager.createCheckpoint();
    const error = await errorOf(manager.close({ timeoutMs: 30 }));
    expect(error).toMatchObject({ code: "CKPT_NOT_FLUSHED", details: { pendingIds: ["a:2"] } });
    expect(error.hint).toContain("discard");
    expect((await manager.createCheckpoint()).durability).toBe("degraded");
    store.heal();
    await manager.close();
    expect(await store.ids("a")).toEqual(["a:1", "a:2", "a:3"]);
  });

  it("gives up what is in memory only when told so", async () => {
    const store = new FaultyStore();
    const { manager } = agentOver(store, 1);
    await manager.createCheckpoint();
    store.fail("commit", ioError("EIO"));
    await manager.createCheckpoint();
    await manager.close({ discard: true });
    expect(await store.ids("a")).toEqual(["a:1"]);
    expect((await errorOf(manager.createCheckpoint())).code).toBe("CKPT_CLOSED");
  });

  it("waits for the saves under way, and frees the agent", async () => {
    const store = new FaultyStore();
    const { manager } = agentOver(store, 1);
    const saving = manager.createCheckpoint();
    await manager.close();
    expect((await saving).id).toBe("a:1");
    expect((await agentOver(store, 1).manager.recover()).checkpoint?.id).toBe("a:1");
  });

  it("takes no lock for a manager that only read", async () => {
    const store = new FaultyStore();
    const { manager } = agentOver(store, 1);
    await manager.getAll();
    manager.observe({ outcome: "ok" });
    await manager.close();
    expect(store.calls.map(({ method }) => method)).not.toContain("acquire");
    expect(store.batches).toEqual([]);
  });

  it("does not take an agent that its own write could not have", async () => {
    const store = new FaultyStore();
    const holder = agentOver(store, 1);
    await holder.manager.createCheckpoint();
    const { manager } = agentOver(store, 1);
    expect((await errorOf(manager.createCheckpoint())).code).toBe("CKPT_LOCKED");
    await holder.manager.close();
    store.calls.length = 0;
    await manager.close();
    expect(store.calls.map(({ method }) => method)).not.toContain("acquire");
  });

  it("leaves a store that was given open, is idempotent, and works with await using", async () => {
    const store = new MemoryStore();
    const { manager } = agentOver(store, 1);
    await manager.createCheckpoint();
    await Promise.all([manager.close(), manager.close()]);
    await manager.close();
    expect((await store.list("a")).length).toBe(1);
    const other = new ResilientCheckpointManager("b", { store });
    await other.create("x", 1);
    await other[Symbol.asyncDispose]();
    expect(other.status().closed).toBe(true);
  });

  it("refuses every verb afterwards", async () => {
    const { manager } = agentOver(new MemoryStore(), 1);
    await manager.createCheckpoint();
    await manager.close();
    const calls = [
      () => manager.createCheckpoint(),
      () => manager.restoreCheckpoint("a:1"),
      () => manager.rollbackTo("a:1"),
      () => manager.undoRestore(),
      () => manager.recover(),
      () => manager.guard("x", () => {}),
      () => manager.fork("a:1"),
      () => manager.lineage(),
      () => manager.planRetention(),
      () => manager.applyRetention(),
      () => manager.flush(),
      () => manager.pin("a:1"),
      () => manager.getLatestCheckpoint(),
      () => manager.getCheckpointBeforeDrift(),
    ];
    for (const call of calls) expect((await errorOf(call())).code).toBe("CKPT_CLOSED");
  });
});

describe("options", () => {
  it.each([
    [{ store: new MemoryStore(), directory: "x" }, "both"],
    [{ memoryBytesWhenDegraded: -1 }, "memoryBytesWhenDegraded"],
    [{ collect: 5 as never }, "collect"],
    [{ apply: {} as never }, "apply"],
  ])("that cannot be meant are refused: %j", (options, word) => {
    const make = () => new ResilientCheckpointManager("a", options);
    expect(make).toThrow(expect.objectContaining({ code: "CKPT_INVALID_ARGUMENT" }));
    expect(make).toThrow(new RegExp(word, "i"));
  });

  it.each(["", "a\u0000b", "x".repeat(300), 7])("refuse the agent id %j", (agentId) => {
    const make = () => new ResilientCheckpointManager(agentId as string, { store: new MemoryStore() });
    expect(make).toThrow(expect.objectContaining({ code: "CKPT_INVALID_ID" }));
  });
});

describe("a save that reaches memory only while the manager closes", () => {
  /** A manager with a save under way whose state comes only once `collected` is called; the store takes no writes then. */
  async function closingBeside() {
    const store = new FaultyStore();
    let collected: (state: number) => void = () => {};
    const states: (number | Promise<number>)[] = [1, new Promise<number>((resolve) => (collected = resolve))];
    const manager = new ResilientCheckpointManager<number>("a", {
      store,
      retention: false,
      drift: false,
      collect: () => states.shift()!,
      apply: () => {},
    });
    await manager.createCheckpoint();
    store.fail("commit", ioError("EIO"));
    const saving = manager.createCheckpoint();
    const close = async (options: { timeoutMs?: number; discard?: boolean }) => {
      const closing = manager.close(options);
      await until(() => manager.closed);
      collected(2);
      return closing;
    };
    return { store, manager, saving, close };
  }

  it("is given up with discard", async () => {
    const { store, saving, close } = await closingBeside();
    await close({ discard: true });
    expect((await saving).durability).toBe("degraded");
    store.heal();
    expect(await store.ids("a")).toEqual(["a:1"]);
  });

  it("is flushed by another close, where the first could not", async () => {
    const { store, manager, saving, close } = await closingBeside();
    expect((await errorOf(close({ timeoutMs: 30 }))).code).toBe("CKPT_NOT_FLUSHED");
    expect((await saving).durability).toBe("degraded");
    store.heal();
    await manager.close();
    expect(await store.ids("a")).toEqual(["a:1", "a:2"]);
  });
});
