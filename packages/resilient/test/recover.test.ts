import { MemoryStore } from "@ckpt/core";
import { ResilientCheckpointManager, withFallback } from "@ckpt/resilient";
import { describe, expect, it } from "vitest";
import { agentOver, errorOf } from "./support/agent-bench.js";
import { FaultyStore } from "./support/faulty-store.js";

async function history(store: FaultyStore | MemoryStore, count: number) {
  const { agent, manager } = agentOver(store, { n: 0 });
  for (let n = 1; n <= count; n++) {
    agent.state = { n };
    await manager.createCheckpoint();
  }
  return { agent, manager };
}

describe("recover", () => {
  it("applies nothing to an agent without a history", async () => {
    const { agent, manager } = agentOver(new MemoryStore(), { n: 0 });
    expect(await manager.recover()).toMatchObject({
      checkpoint: null,
      data: undefined,
      headId: null,
      skipped: [],
      maybeStale: false,
    });
    expect(agent.applied).toEqual([]);
  });

  it("applies the last save", async () => {
    const store = new MemoryStore();
    await (await history(store, 3)).manager.close();
    const { agent, manager } = agentOver(store, { n: 0 });
    const reasons: string[] = [];
    manager.on("restored", ({ reason }) => reasons.push(reason));
    const report = await manager.recover();
    expect(report).toMatchObject({ headId: "a:3", data: { n: 3 } });
    expect(agent.state).toEqual({ n: 3 });
    expect(reasons).toEqual(["recovered"]);
    expect((await manager.createCheckpoint()).parentId).toBe("a:3");
  });

  it("does not undo a restore", async () => {
    const store = new MemoryStore();
    const { manager } = await history(store, 3);
    await manager.restoreCheckpoint("a:2");
    await manager.close();
    const { agent, manager: next } = agentOver(store, { n: 0 });
    await next.recover();
    expect(agent.state).toEqual({ n: 2 });
  });

  it("falls back along the lineage when the head is damaged, goes on from there, and says what it skipped", async () => {
    const store = new FaultyStore();
    await (await history(store, 4)).manager.close();
    store.damage("a:4");
    store.damage("a:3");
    const { agent, manager } = agentOver(store, { n: 0 });
    const report = await manager.recover();
    expect(report.checkpoint?.id).toBe("a:2");
    expect(report.headId).toBe("a:4");
    expect(report.skipped.map(({ id }) => id)).toEqual(["a:4", "a:3"]);
    expect(agent.state).toEqual({ n: 2 });
    expect((await manager.createCheckpoint()).parentId).toBe("a:2");
  });

  it("never goes forward to what was rolled back: it names it, and applies nothing", async () => {
    const store = new FaultyStore();
    const { manager } = await history(store, 3);
    await manager.restoreCheckpoint("a:1");
    await manager.close();
    store.damage("a:1");
    const { agent, manager: next } = agentOver(store, { n: 0 });
    const report = await next.recover();
    expect(report).toMatchObject({ checkpoint: null, intactElsewhereId: "a:3" });
    expect(agent.applied).toEqual([]);
    await next.restoreCheckpoint(report.intactElsewhereId!);
    expect(agent.state).toEqual({ n: 3 });
  });

  it("applies the newest checkpoint where the head was removed", async () => {
    const store = new MemoryStore();
    const { manager } = await history(store, 3);
    await manager.remove("a:3");
    await manager.close();
    const { agent, manager: next } = agentOver(store, { n: 0 });
    expect((await next.recover()).checkpoint?.id).toBe("a:2");
    expect(agent.state).toEqual({ n: 2 });
  });

  it("migrates and validates what it applies", async () => {
    const store = new MemoryStore();
    const old = agentOver<unknown>(store, { n: 1 }, { version: 1 });
    await old.manager.createCheckpoint();
    await old.manager.close();
    const { agent, manager } = agentOver<unknown>(store, null, {
      version: 3,
      migrations: { 1: (s: object) => ({ ...s, two: 2 }), 2: (s: object) => ({ ...s, three: 3 }) },
    });
    await manager.recover();
    expect(agent.state).toEqual({ n: 1, two: 2, three: 3 });
  });

  it("says that it may be stale when a place cannot be read", async () => {
    const broken = new FaultyStore();
    const good = new FaultyStore();
    const store = withFallback(broken, good, { minProbeDelayMs: 600_000 });
    const first = agentOver(store, { n: 1 });
    await first.manager.createCheckpoint();
    broken.unplug();
    first.agent.state = { n: 2 };
    await first.manager.createCheckpoint();
    await first.manager.close();
    const again = withFallback(broken, good, { minProbeDelayMs: 600_000 });
    const { agent, manager } = agentOver(again, { n: 0 });
    const report = await manager.recover();
    expect(report.maybeStale).toBe(true);
    expect(report.findings).toMatchObject([{ kind: "stale", place: "primary" }]);
    expect(agent.state).toEqual({ n: 2 });
  });

  it("takes the agent; constructing and reading do not", async () => {
    const store = new FaultyStore();
    const { manager } = await history(store, 1);
    const reader = new ResilientCheckpointManager<{ n: number }>("a", { store });
    expect(await (await reader.getLatestCheckpoint())?.data()).toEqual({ n: 1 });
    expect((await errorOf(reader.recover())).code).toBe("CKPT_LOCKED");
    expect((await errorOf(reader.create("x", { n: 2 }))).code).toBe("CKPT_LOCKED");
    await manager.close();
    expect((await reader.recover()).checkpoint?.id).toBe("a:1");
  });
});

describe("unfinished guards", () => {
  async function crashed() {
    const store = new FaultyStore();
    const { agent, manager } = agentOver(store, { n: 1 });
    void manager.guard("drop-table", async () => {
      agent.state = { n: 99 };
      await manager.createCheckpoint();
      await new Promise(() => {});
    });
    while ((await manager.length) < 2) await new Promise((resolve) => setTimeout(resolve, 2));
    store.freeLeases();
    return store;
  }

  /** A crash inside an operation inside another. */
  async function nested(): Promise<FaultyStore> {
    const store = new FaultyStore();
    const first = agentOver(store, { n: 1 });
    void first.manager.guard("outer", async () => {
      first.agent.state = { n: 2 };
      await first.manager.guard("inner", async () => {
        first.agent.state = { n: 3 };
        await first.manager.createCheckpoint();
        await new Promise(() => {});
      });
    });
    while ((await first.manager.length) < 3) await new Promise((resolve) => setTimeout(resolve, 2));
    store.freeLeases();
    return store;
  }

  it("are reported, and the state from before is offered", async () => {
    const { agent, manager } = agentOver(await crashed(), { n: 0 });
    const report = await manager.recover();
    expect(agent.state).toEqual({ n: 99 });
    expect(report.unfinishedGuards).toMatchObject([{ operation: "drop-table", checkpointId: "a:1" }]);
    const restored = await report.unfinishedGuards[0]!.restore();
    expect(restored.checkpoint.id).toBe("a:1");
    expect(agent.state).toEqual({ n: 1 });
    expect((await manager.recover()).unfinishedGuards).toEqual([]);
    expect(agent.state).toEqual({ n: 1 });
  });

  it("can be dismissed", async () => {
    const { agent, manager } = agentOver(await crashed(), { n: 0 });
    await (await manager.recover()).unfinishedGuards[0]!.dismiss();
    expect((await manager.recover()).unfinishedGuards).toEqual([]);
    expect(agent.state).toEqual({ n: 99 });
  });

  it.each([
    ["restore", { n: 1 }],
    ["dismiss", { n: 99 }],
    ["keep", { n: 99 }],
  ] as const)("are settled as configured: %s", async (onUnfinishedGuard, state) => {
    const { agent, manager } = agentOver(await crashed(), { n: 0 }, { onUnfinishedGuard });
    const report = await manager.recover();
    expect(agent.state).toEqual(state);
    expect(report.data).toEqual(state);
    expect(report.unfinishedGuards).toHaveLength(onUnfinishedGuard === "keep" ? 1 : 0);
    // What the new process began with is not a state that anyone wants back.
    expect(await manager.getByName("safety")).toEqual([]);
  });

  it("can be asked about one by one", async () => {
    const asked: string[] = [];
    const { agent, manager } = agentOver(
      await crashed(),
      { n: 0 },
      {
        onUnfinishedGuard: async ({ operation }) => {
          asked.push(operation);
          return "restore" as const;
        },
      },
    );
    await manager.recover();
    expect(asked).toEqual(["drop-table"]);
    expect(agent.state).toEqual({ n: 1 });
  });

  it("stay open, all of them, where the state from before the outermost is damaged or gone; the head is applied", async () => {
    for (const what of ["damaged", "removed"] as const) {
      const store = await nested();
      if (what === "damaged") store.damage("a:1");
      else await store.commit([{ op: "remove", agentId: "a", ids: ["a:1"], reason: "test" }]);
      for (let start = 1; start <= 2; start++) {
        const { agent, manager } = agentOver(store, { n: 0 }, { onUnfinishedGuard: "restore" });
        const report = await manager.recover();
        expect(agent.state, what).toEqual({ n: 3 });
        expect(report.unfinishedGuards).toMatchObject([
          {
            operation: "outer",
            damage: { id: "a:1", code: what === "damaged" ? "CKPT_CORRUPT" : "CKPT_NOT_FOUND" },
          },
          { operation: "inner", damage: null },
        ]);
        expect((await store.agent("a"))?.openGuards).toHaveLength(2);
        await manager.close();
      }
    }
  });

  it("go back to before the outermost of several", async () => {
    const store = await nested();
    const { agent, manager } = agentOver(store, { n: 0 }, { onUnfinishedGuard: "restore" });
    await manager.recover();
    expect(agent.state).toEqual({ n: 1 });
    expect((await store.agent("a"))?.openGuards).toEqual([]);
  });
});
