import { MemoryStore } from "@ckpt/core";
import { ResilientCheckpointManager } from "@ckpt/resilient";
import { describe, expect, it } from "vitest";
import { agentOver, errorOf } from "./support/agent-bench.js";
import { FaultyStore, ioError } from "./support/faulty-store.js";

describe("createCheckpoint", () => {
  it("captures the live state inside the call, before its promise is returned", async () => {
    const { agent, manager } = agentOver(new MemoryStore(), { n: 1, tags: ["a"] });
    const saving = manager.createCheckpoint("routine");
    agent.state.n = 2;
    agent.state.tags.push("b");
    expect(await (await saving).data()).toEqual({ n: 1, tags: ["a"] });
  });

  it("captures what an async collect resolves to", async () => {
    const store = new MemoryStore();
    const manager = new ResilientCheckpointManager<{ n: number }>("a", {
      store,
      collect: async () => ({ n: 7 }),
    });
    expect(await (await manager.createCheckpoint()).data()).toEqual({ n: 7 });
  });

  it("rejects with what collect throws, and leaves no trace", async () => {
    const boom = new Error("boom");
    const manager = new ResilientCheckpointManager("a", {
      store: new MemoryStore(),
      collect: () => {
        throw boom;
      },
    });
    expect(await errorOf(manager.createCheckpoint())).toBe(boom);
    expect(await manager.length).toBe(0);
  });

  it("says where a refused state has what it refuses, and saves nothing", async () => {
    const { agent, manager } = agentOver<unknown>(new MemoryStore(), {});
    agent.state = { tools: [{ run: () => {} }] };
    const error = await errorOf(manager.createCheckpoint());
    expect(error.message).toContain("tools[0].run");
    expect(error.hint).toBeTruthy();
    expect(await manager.length).toBe(0);
  });

  it("saves the custom state where there is no collect", async () => {
    const manager = new ResilientCheckpointManager("a", {
      store: new MemoryStore(),
      getCustomState: () => ({ mood: "good" }),
    });
    const saved = await manager.createCheckpoint();
    expect(await saved.data()).toEqual({ mood: "good" });
    expect(saved.metadata).not.toHaveProperty("custom");
  });

  it("takes any type, routine by default", async () => {
    const { manager } = agentOver(new MemoryStore(), 1);
    const names = [];
    for (const type of [undefined, "pre_operation", "recovery", "before lunch"])
      names.push((await manager.createCheckpoint(type)).name);
    expect(names).toEqual(["routine", "pre_operation", "recovery", "before lunch"]);
    expect((await manager.getLatestCheckpoint("recovery"))?.id).toBe("a:3");
    expect((await manager.getLatestCheckpoint())?.id).toBe("a:4");
    expect(await manager.getLatestCheckpoint("none")).toBeUndefined();
  });
});

describe("restoreCheckpoint", () => {
  it.each([
    ["a receipt", (saved: { id: string; agentId: string }) => saved],
    ["an id", (saved: { id: string }) => saved.id],
    [
      "a plain header",
      (saved: { id: string; agentId: string }) => ({ id: saved.id, agentId: saved.agentId }),
    ],
  ])("takes %s, and hands the state to apply", async (_, reference) => {
    const { agent, manager } = agentOver(new MemoryStore(), { n: 1, when: new Date(5) });
    const first = await manager.createCheckpoint();
    agent.state = { n: 2, when: new Date(6) };
    await manager.createCheckpoint();
    const restored = await manager.restoreCheckpoint(reference(first));
    expect(agent.state).toEqual({ n: 1, when: new Date(5) });
    expect(restored).toMatchObject({ askedId: "a:1", skipped: [], data: { n: 1 } });
    expect((await manager.createCheckpoint()).parentId).toBe("a:1");
  });

  it("saves the live state first, so that the restore can be undone, and the undo as well", async () => {
    const { agent, manager } = agentOver(new MemoryStore(), { n: 1 });
    const first = await manager.createCheckpoint();
    agent.state = { n: 2 };
    const { undoId } = await manager.restoreCheckpoint(first);
    expect((await manager.get(undoId!))?.name).toBe("safety");
    expect(agent.state).toEqual({ n: 1 });
    await manager.undoRestore();
    expect(agent.state).toEqual({ n: 2 });
    await manager.undoRestore();
    expect(agent.state).toEqual({ n: 1 });
  });

  it("saves no second copy of a live state that the head holds", async () => {
    const { agent, manager } = agentOver(new MemoryStore(), { n: 1 });
    const first = await manager.createCheckpoint();
    agent.state = { n: 2 };
    const second = await manager.createCheckpoint();
    const { undoId } = await manager.restoreCheckpoint(first);
    expect(undoId).toBe(second.id);
    expect(await manager.length).toBe(2);
  });

  it("moves the head in the commit of the safety checkpoint", async () => {
    const store = new FaultyStore();
    const { agent, manager } = agentOver(store, { n: 1 });
    const first = await manager.createCheckpoint();
    agent.state = { n: 2 };
    await manager.restoreCheckpoint(first);
    const kinds = store.batches.at(-1)!.map((entry) => (entry.op === "event" ? entry.event.kind : entry.op));
    expect(kinds).toEqual(["put", "note", "head"]);
  });

  it("has nothing to undo before the first restore", async () => {
    const { manager } = agentOver(new MemoryStore(), 1);
    await manager.createCheckpoint();
    expect((await errorOf(manager.undoRestore())).code).toBe("CKPT_NOT_FOUND");
  });

  it("falls back to the newest intact checkpoint of the lineage, and says so everywhere", async () => {
    const store = new FaultyStore();
    const { agent, manager } = agentOver(store, { n: 0 });
    const damaged: string[] = [];
    manager.on("damaged", ({ checkpointId }) => damaged.push(checkpointId));
    for (const n of [1, 2, 3, 4]) {
      agent.state = { n };
      await manager.createCheckpoint();
    }
    store.damage("a:4");
    store.damage("a:3");
    const restored = await manager.restoreCheckpoint("a:4");
    expect(agent.state).toEqual({ n: 2 });
    expect(restored.askedId).toBe("a:4");
    expect(restored.checkpoint.id).toBe("a:2");
    expect(restored.skipped.map(({ id, code }) => [id, code])).toEqual([
      ["a:4", "CKPT_CORRUPT"],
      ["a:3", "CKPT_CORRUPT"],
    ]);
    expect(damaged).toEqual(["a:4", "a:3"]);
    expect(manager.status().damagedIds).toEqual(["a:4", "a:3"]);
    expect((await manager.createCheckpoint()).parentId).toBe("a:2");
  });

  it("follows the lineage, not the order: what was rolled back is not fallen back to", async () => {
    const store = new FaultyStore();
    const { agent, manager } = agentOver(store, { n: 0 });
    for (const n of [1, 2, 3]) {
      agent.state = { n };
      await manager.createCheckpoint();
    }
    await manager.restoreCheckpoint("a:1");
    agent.state = { n: 10 };
    const branch = await manager.createCheckpoint();
    expect(branch.parentId).toBe("a:1");
    store.damage(branch.id);
    await manager.restoreCheckpoint(branch);
    expect(agent.state).toEqual({ n: 1 });
  });

  it("goes past a removed parent to the newest older one", async () => {
    const store = new FaultyStore();
    const { agent, manager } = agentOver(store, { n: 0 });
    for (const n of [1, 2, 3, 4]) {
      agent.state = { n };
      await manager.createCheckpoint();
    }
    await manager.remove(["a:2", "a:3"]);
    store.damage("a:4");
    expect((await manager.restoreCheckpoint("a:4")).checkpoint.id).toBe("a:1");
  });

  it("can be told to take no other", async () => {
    const store = new FaultyStore();
    const { agent, manager } = agentOver(store, { n: 1 });
    await manager.createCheckpoint();
    agent.state = { n: 2 };
    await manager.createCheckpoint();
    store.damage("a:2");
    expect((await errorOf(manager.restoreCheckpoint("a:2", { allowOlder: false }))).code).toBe(
      "CKPT_CORRUPT",
    );
    expect((await errorOf(manager.rollbackTo("a:2"))).code).toBe("CKPT_CORRUPT");
    expect(agent.applied).toEqual([]);
    expect(await manager.length).toBe(2);
  });

  it("changes nothing when nothing of the lineage is intact", async () => {
    const store = new FaultyStore();
    const { agent, manager } = agentOver(store, { n: 1 });
    await manager.createCheckpoint();
    await manager.createCheckpoint();
    store.damage("a:1");
    store.damage("a:2");
    agent.state = { n: 9 };
    const error = await errorOf(manager.restoreCheckpoint("a:2"));
    expect(error.code).toBe("CKPT_CORRUPT");
    expect((error.details.skipped as unknown[]).length).toBe(2);
    expect(agent.state).toEqual({ n: 9 });
    expect(await manager.length).toBe(2);
  });

  it("does not take a newer version for damage", async () => {
    const store = new MemoryStore();
    const before = agentOver(store, { n: 1 }, { version: 2 });
    await before.manager.createCheckpoint();
    await before.manager.close();
    const { manager, agent } = agentOver(store, { n: 0 }, { version: 1 });
    expect((await errorOf(manager.restoreCheckpoint("a:1"))).code).toBe("CKPT_NEWER_VERSION");
    expect((await errorOf(manager.recover())).code).toBe("CKPT_NEWER_VERSION");
    expect(agent.applied).toEqual([]);
  });

  it("refuses a checkpoint of another agent by name, and one that does not exist", async () => {
    const store = new MemoryStore();
    const { manager } = agentOver(store, 1);
    const other = agentOver(store, 2, { agentId: "b" });
    const foreign = await other.manager.createCheckpoint();
    for (const reference of [foreign, foreign.id]) {
      const error = await errorOf(manager.restoreCheckpoint(reference));
      expect(error).toMatchObject({ code: "CKPT_WRONG_AGENT", details: { ownerAgentId: "b", agentId: "a" } });
      expect(error.hint).toContain("b");
    }
    expect((await errorOf(manager.restoreCheckpoint("a:77"))).code).toBe("CKPT_NOT_FOUND");
    expect((await errorOf(manager.restoreCheckpoint("nonsense"))).code).toBe("CKPT_NOT_FOUND");
    expect((await errorOf(manager.restoreCheckpoint(undefined as never))).code).toBe("CKPT_INVALID_ARGUMENT");
  });

  it("has moved the head when apply throws, and says what to do", async () => {
    const store = new MemoryStore();
    const boom = new Error("no");
    let broken = false;
    const manager = new ResilientCheckpointManager<number>("a", {
      store,
      collect: () => 2,
      apply: () => {
        if (broken) throw boom;
      },
    });
    await manager.createCheckpoint();
    broken = true;
    const error = await errorOf(manager.restoreCheckpoint("a:1"));
    expect(error).toMatchObject({ code: "CKPT_APPLY_FAILED", cause: boom, details: { checkpointId: "a:1" } });
    broken = false;
    expect((await manager.recover()).checkpoint?.id).toBe("a:1");
  });

  it("stands between the saves around it, all called at once: what is saved behind it is what it brought back", async () => {
    const { agent, manager } = agentOver(new MemoryStore(), { n: 1 });
    const one = manager.createCheckpoint();
    agent.state = { n: 2 };
    const two = manager.createCheckpoint();
    const back = manager.restoreCheckpoint("a:1");
    const three = manager.createCheckpoint("after");
    await Promise.all([one, two, back, three]);
    expect((await three).parentId).toBe("a:1");
    expect(await (await three).data()).toEqual({ n: 1 });
  });

  it("lets apply save", async () => {
    const store = new MemoryStore();
    const saved: Promise<unknown>[] = [];
    const manager: ResilientCheckpointManager<number> = new ResilientCheckpointManager<number>("a", {
      store,
      collect: () => 1,
      apply: async () => {
        saved.push(manager.createCheckpoint("from apply"));
        await saved[0];
      },
    });
    await manager.createCheckpoint();
    await manager.restoreCheckpoint("a:1");
    expect((await manager.getLatest())?.name).toBe("from apply");
  });

  it("gives up when its signal has fired, and changes nothing", async () => {
    const { agent, manager } = agentOver(new MemoryStore(), 1);
    await manager.createCheckpoint();
    const signal = AbortSignal.abort();
    expect((await errorOf(manager.restoreCheckpoint("a:1", { signal }))).code).toBe("CKPT_ABORTED");
    expect((await errorOf(manager.createCheckpoint("routine", {}, { signal }))).code).toBe("CKPT_ABORTED");
    expect(agent.applied).toEqual([]);
    expect(await manager.length).toBe(1);
  });
});

describe("rollbackTo", () => {
  it("is the plain manager's, with apply", async () => {
    const { agent, manager } = agentOver(new MemoryStore(), { n: 1 });
    await manager.createCheckpoint();
    agent.state = { n: 2 };
    expect(await manager.rollbackTo("a:1")).toEqual({ n: 1 });
    expect(agent.state).toEqual({ n: 1 });
    expect(await manager.rollbackTo("a:99")).toBeUndefined();
  });
});

describe("fork and lineage", () => {
  it("starts a new line from an old point, and keeps what came after", async () => {
    const { agent, manager } = agentOver(new MemoryStore(), { n: 0 });
    for (const n of [1, 2, 3]) {
      agent.state = { n };
      await manager.createCheckpoint();
    }
    const forked = await manager.fork("a:1", { metadata: { why: "try again" } });
    expect(agent.state).toEqual({ n: 1 });
    expect(forked).toMatchObject({
      name: "fork",
      parentId: "a:1",
      metadata: { why: "try again", forkedFrom: { agentId: "a", id: "a:1" } },
    });
    agent.state = { n: 10 };
    const next = await manager.createCheckpoint();
    expect((await manager.lineage()).map(({ id }) => id)).toEqual([next.id, forked.id, "a:1"]);
    expect((await manager.lineage("a:3")).map(({ id }) => id)).toEqual(["a:3", "a:2", "a:1"]);
  });

  it("carries a state to a new agent, and leaves this one where it is", async () => {
    const store = new MemoryStore();
    const { agent, manager } = agentOver(store, { n: 1 });
    await manager.createCheckpoint();
    const forked = await manager.fork("a:1", { agentId: "b" });
    expect(forked).toMatchObject({ id: "b:1", agentId: "b", parentId: null });
    expect(await forked.data()).toEqual({ n: 1 });
    expect(agent.applied).toEqual([]);
    const other = agentOver(store, { n: 0 }, { agentId: "b" });
    await other.manager.recover();
    expect(other.agent.state).toEqual({ n: 1 });
    expect((await other.manager.createCheckpoint()).id).toBe("b:2");
  });

  it("waits for a place that fails for a moment, and leaves nothing in memory that could never be written", async () => {
    const store = new FaultyStore();
    const { manager } = agentOver(store, { n: 1 }, { retry: false });
    await manager.createCheckpoint();
    store.fail("commit", ioError("EIO"), { times: 1 });
    const forked = await manager.fork("a:1", { agentId: "b" });
    expect(forked.durability).not.toBe("degraded");
    expect(await store.ids("b")).toEqual(["b:1"]);
    expect(await manager.flush()).toBe(true);
    store.fail("commit", ioError("EIO"));
    const error = await errorOf(manager.fork("a:1", { agentId: "c" }));
    expect(error).toMatchObject({ code: "CKPT_NOT_FLUSHED", details: { agentId: "c" } });
    store.heal();
    await manager.fork("a:1", { agentId: "c" });
    expect(manager.status().pendingIds).toEqual([]);
    await manager.close();
    expect(await store.ids("c")).toEqual(["c:1"]);
  }, 20_000);

  it("refuses an agent that has a history, and leaves it free", async () => {
    const store = new MemoryStore();
    const { manager } = agentOver(store, 1);
    await manager.createCheckpoint();
    const other = agentOver(store, 2, { agentId: "b" });
    await other.manager.createCheckpoint();
    await other.manager.close();
    expect((await errorOf(manager.fork("a:1", { agentId: "b" }))).code).toBe("CKPT_CONFLICT");
    expect((await agentOver(store, 2, { agentId: "b" }).manager.createCheckpoint()).id).toBe("b:2");
  });

  it("ends a lineage where an ancestor was removed", async () => {
    const { manager } = agentOver(new MemoryStore(), 1);
    for (let i = 0; i < 4; i++) await manager.createCheckpoint();
    await manager.remove("a:2");
    expect((await manager.lineage()).map(({ id }) => id)).toEqual(["a:4", "a:3"]);
    expect(await agentOver(new MemoryStore(), 1).manager.lineage()).toEqual([]);
  });
});
