import { MemoryStore } from "@ckpt/core";
import { ResilientCheckpointManager, superviseLoop } from "@ckpt/resilient";
import { describe, expect, it } from "vitest";
import { agentOver, errorOf } from "./support/agent-bench.js";
import { FaultyStore, ioError } from "./support/faulty-store.js";

describe("guard", () => {
  it("resolves to what the operation resolves to, and closes behind it", async () => {
    const store = new FaultyStore();
    const { agent, manager } = agentOver(store, { n: 1 });
    const phases: string[] = [];
    manager.on("guard", ({ phase }) => phases.push(phase));
    const result = await manager.guard("migrate", async ({ checkpointId }) => {
      expect((await store.agent("a"))?.openGuards).toMatchObject([{ operation: "migrate", checkpointId }]);
      agent.state = { n: 2 };
      return "done";
    });
    expect(result).toBe("done");
    expect(agent.state).toEqual({ n: 2 });
    expect((await store.agent("a"))?.openGuards).toEqual([]);
    expect(phases).toEqual(["begun", "completed"]);
  });

  it("saves the state from before and the word that it began in one commit", async () => {
    const store = new FaultyStore();
    const { manager } = agentOver(store, { n: 1 });
    await manager.guard("x", () => {}, { metadata: { ticket: 7 } });
    const kinds = store.batches[0]!.map((entry) => (entry.op === "event" ? entry.event.kind : entry.op));
    expect(kinds).toEqual(["put", "guard-begun"]);
    expect(await manager.getLatest("pre_operation")).toMatchObject({
      metadata: { operation: "x", ticket: 7 },
    });
  });

  it("puts the state back when the operation fails, and rejects with the state of the world", async () => {
    const store = new FaultyStore();
    const { agent, manager } = agentOver(store, { n: 1, list: [1] });
    const boom = new Error("boom");
    const error = await errorOf(
      manager.guard("x", async () => {
        agent.state.list.push(2);
        agent.state.n = 9;
        await manager.createCheckpoint();
        throw boom;
      }),
    );
    expect(error).toMatchObject({
      code: "CKPT_GUARD_FAILED",
      cause: boom,
      details: { operation: "x", restored: true, checkpointId: "a:1" },
    });
    expect(agent.state).toEqual({ n: 1, list: [1] });
    expect(await store.agent("a")).toMatchObject({ headId: "a:1", openGuards: [] });
    await manager.undoRestore();
    expect(agent.state).toEqual({ n: 9, list: [1, 2] });
  });

  it("catches what a synchronous operation throws", async () => {
    const { agent, manager } = agentOver(new MemoryStore(), { n: 1 });
    const error = await errorOf(
      manager.guard("x", () => {
        agent.state = { n: 2 };
        throw new Error("sync");
      }),
    );
    expect(error.code).toBe("CKPT_GUARD_FAILED");
    expect(agent.state).toEqual({ n: 1 });
  });

  it("says when the state could not be put back, and leaves the guard open for the next recovery", async () => {
    const store = new FaultyStore();
    const { agent, manager } = agentOver(store, { n: 1 });
    const boom = new Error("boom");
    const error = await errorOf(
      manager.guard("x", () => {
        agent.state = { n: 2 };
        store.damage("a:1");
        throw boom;
      }),
    );
    expect(error).toMatchObject({
      code: "CKPT_GUARD_FAILED",
      cause: boom,
      details: { restored: false, restoreError: { code: "CKPT_CORRUPT" } },
    });
    expect(error.hint).toContain("a:1");
    expect(agent.state).toEqual({ n: 2 });
    expect((await store.agent("a"))?.openGuards).toHaveLength(1);
  });

  it("tells the caller of a success even when that cannot be recorded", async () => {
    const store = new FaultyStore();
    const { manager } = agentOver(store, { n: 1 }, { memoryBytesWhenDegraded: 0 });
    const reported: unknown[] = [];
    manager.on("error", (event) => reported.push(event.during));
    const result = await manager.guard("x", () => {
      store.fail("commit", ioError("EIO"));
      return 5;
    });
    expect(result).toBe(5);
    expect(reported).toEqual(["recording that x is done"]);
  });

  it("runs nothing when the state from before cannot be saved", async () => {
    const store = new FaultyStore();
    const { manager } = agentOver(store, { n: 1 }, { memoryBytesWhenDegraded: 0 });
    await manager.createCheckpoint();
    store.fail("commit", ioError("ENOSPC"));
    let ran = false;
    const error = await errorOf(
      manager.guard("x", () => {
        ran = true;
      }),
    );
    expect(error.code).toBe("CKPT_NO_SPACE");
    expect(ran).toBe(false);
  });

  it("can be closed over: close does not wait for the operation", async () => {
    const { manager } = agentOver(new MemoryStore(), { n: 1 });
    let finish = (): void => {};
    const guarded = manager.guard("x", () => new Promise<void>((resolve) => (finish = resolve)));
    await new Promise((resolve) => setTimeout(resolve, 5));
    await manager.close();
    finish();
    await guarded;
  });

  it.each([
    ["collect and apply", {}],
    ["collect", { apply: () => {} }],
    ["apply", { collect: () => 1 }],
  ])("and superviseLoop refuse by name to start without %s", async (missing, options) => {
    const manager = new ResilientCheckpointManager<unknown>("a", { store: new MemoryStore(), ...options });
    const error = await errorOf(manager.guard("x", () => {}));
    expect(error.code).toBe("CKPT_INVALID_ARGUMENT");
    expect(error.message).toContain(`; ${missing} ${missing.includes(" and ") ? "are" : "is"} missing`);
    expect(error.hint).toContain("guard");
    const loop = await errorOf(superviseLoop(manager, () => {}));
    expect(loop.code).toBe("CKPT_INVALID_ARGUMENT");
    expect(loop.message).toContain("superviseLoop");
    expect(await manager.length).toBe(0);
  });
});
