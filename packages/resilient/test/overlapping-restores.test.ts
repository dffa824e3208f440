import { MemoryStore } from "@ckpt/core";
import { checkpointGroup, ResilientCheckpointManager, restoreGroup } from "@ckpt/resilient";
import { describe, expect, it } from "vitest";
import { agentOver, errorOf } from "./support/agent-bench.js";
import { FaultyStore } from "./support/faulty-store.js";

describe("a save beside a restore", () => {
  it("saves the state that was restored, whatever moment of it the save is called at", async () => {
    for (let turns = 0; turns < 40; turns++) {
      const { agent, manager } = agentOver(new MemoryStore(), { n: 1 });
      await manager.createCheckpoint();
      agent.state = { n: 2 };
      const restoring = manager.restoreCheckpoint("a:1");
      for (let i = 0; i < turns; i++) await Promise.resolve();
      const saved = await manager.createCheckpoint("auto");
      await restoring;
      expect(await saved.data()).toEqual({ n: 1 });
    }
  });

  it("keeps its place before the next restore, with a signal too", async () => {
    const { agent, manager } = agentOver(new MemoryStore(), { n: 1 });
    await manager.createCheckpoint();
    agent.state = { n: 2 };
    await manager.createCheckpoint();
    const { signal } = new AbortController();
    const [, saved] = await Promise.all([
      manager.restoreCheckpoint("a:1"),
      manager.createCheckpoint("auto", {}, { signal }),
      manager.restoreCheckpoint("a:2"),
    ]);
    expect(await saved.data()).toEqual({ n: 1 });
    expect([agent.state, (await manager.lineage())[0]?.id]).toEqual([{ n: 2 }, "a:2"]);
  });

  it.each(["createCheckpoint", "guard", "checkpointGroup"])(
    "that was called first is no head behind it, however late collect ends (%s)",
    async (call) => {
      const store = new MemoryStore();
      const live = { n: 1 };
      let isSlow = false;
      let open = () => {};
      const opened = new Promise<void>((resolve) => {
        open = resolve;
      });
      const manager = new ResilientCheckpointManager<{ n: number }>("a", {
        store,
        retention: false,
        collect: async () => {
          const state = { ...live };
          if (isSlow) await opened;
          return state;
        },
        apply: ({ n }) => {
          live.n = n;
        },
      });
      const other = agentOver(store, { n: 0 }, { agentId: "b" }).manager;
      await manager.createCheckpoint();
      live.n = 2;
      isSlow = true;
      const saving = {
        createCheckpoint: () => manager.createCheckpoint(),
        guard: () => manager.guard("op", () => {}),
        checkpointGroup: () => checkpointGroup([manager, other], "g"),
      }[call]!();
      isSlow = false;
      const restoring = manager.restoreCheckpoint("a:1", { safety: false });
      setTimeout(open, 10);
      await Promise.all([saving, restoring]);
      expect([live.n, (await manager.lineage())[0]?.id]).toEqual([1, "a:1"]);
      expect(await (await manager.get("a:2"))?.data()).toEqual({ n: 2 });
    },
  );

  it("is not the head behind a newer one, whatever moment that is called at", async () => {
    for (let turns = 0; turns < 60; turns++) {
      const { agent, manager } = agentOver(new MemoryStore(), { n: 1 });
      await manager.createCheckpoint();
      const restoring = errorOf(manager.restoreCheckpoint("a:9"));
      const { signal } = new AbortController();
      const older = manager.createCheckpoint("older", {}, { signal });
      for (let i = 0; i < turns; i++) await Promise.resolve();
      agent.state = { n: 2 };
      await Promise.all([older, manager.createCheckpoint("newer"), restoring]);
      const [head] = await manager.lineage();
      expect([turns, await head?.data()]).toEqual([turns, { n: 2 }]);
    }
  });

  it("does not bring back what a guard undid", async () => {
    const store = new FaultyStore();
    const { agent, manager } = agentOver(store, { n: 1 });
    await manager.createCheckpoint();
    let auto: Promise<unknown> | undefined;
    const commit = store.commit.bind(store);
    store.commit = (entries, options) => {
      const isUndo = entries.some((entry) => entry.op === "event" && entry.event.kind === "guard-done");
      if (isUndo) auto ??= manager.createCheckpoint("auto");
      return commit(entries, options);
    };
    await errorOf(
      manager.guard("op", () => {
        agent.state = { n: 3 };
        throw new Error("boom");
      }),
    );
    await auto;
    expect(agent.state).toEqual({ n: 1 });
    const [head] = await manager.lineage();
    expect(await head?.data()).toEqual({ n: 1 });
  });

  it("waits for a recovery as well", async () => {
    const store = new MemoryStore();
    const before = agentOver(store, { n: 1 }).manager;
    await before.createCheckpoint();
    await before.close();
    const { manager } = agentOver(store, { n: 100 });
    const [, saved] = await Promise.all([manager.recover(), manager.createCheckpoint()]);
    expect(await saved.data()).toEqual({ n: 1 });
  });

  it("that was called before a recovery is what that applies", async () => {
    for (let turns = 0; turns < 40; turns++) {
      const store = new FaultyStore();
      const { agent, manager } = agentOver(store, { n: 1 });
      await manager.createCheckpoint();
      agent.state = { n: 2 };
      const open = store.hold();
      const saving = manager.createCheckpoint();
      const recovering = manager.recover();
      for (let i = 0; i < turns; i++) await Promise.resolve();
      open();
      const [report] = await Promise.all([recovering, saving]);
      expect([turns, agent.state, report.headId]).toEqual([turns, { n: 2 }, "a:2"]);
    }
  });

  it.each([
    ["keep", "a damaged"],
    ["dismiss", "an intact"],
    ["a function", "an intact"],
  ] as const)(
    "is not the head behind a recovery that finds an unfinished guard (%s) and %s head",
    async (choice, head) => {
      for (let turns = 0; turns < 30; turns++) {
        const store = new FaultyStore();
        const before = agentOver(store, { n: 1 });
        await before.manager.createCheckpoint();
        await new Promise<void>((begun) => {
          void before.manager.guard("op", () => new Promise(() => begun()));
        });
        before.agent.state = { n: 2 };
        await before.manager.createCheckpoint();
        await before.manager.close();
        if (head === "a damaged") store.damage("a:3");
        const n = head === "a damaged" ? 1 : 2;
        const ask = () => new Promise<"keep">((resolve) => setTimeout(resolve, 2, "keep"));
        const onUnfinishedGuard = choice === "a function" ? ask : choice;
        const { agent, manager } = agentOver(store, { n: 100 }, { onUnfinishedGuard });
        const recovering = manager.recover();
        for (let i = 0; i < turns; i++) await Promise.resolve();
        await manager.createCheckpoint();
        await recovering;
        const [last] = await manager.lineage();
        expect([turns, agent.state, await last?.data()]).toEqual([turns, { n }, { n }]);
      }
    },
  );

  it.each(["restore", "a function"])(
    "leaves the undo of a recovery at the state of the crash (%s)",
    async (choice) => {
      const store = new FaultyStore();
      const before = agentOver(store, { n: 1 });
      await new Promise<void>((begun) => {
        void before.manager.guard("op", () => new Promise(() => begun()));
      });
      before.agent.state = { n: 2 };
      await before.manager.createCheckpoint();
      await before.manager.close();
      const ask = () => new Promise<"restore">((resolve) => setTimeout(resolve, 2, "restore"));
      const onUnfinishedGuard = choice === "restore" ? choice : ask;
      const { agent, manager } = agentOver(store, { n: 100 }, { onUnfinishedGuard });
      const [, saved] = await Promise.all([manager.recover(), manager.createCheckpoint()]);
      if (choice === "restore") expect(await saved.data()).toEqual({ n: 1 });
      expect(agent.state).toEqual({ n: 1 });
      await manager.undoRestore();
      expect(agent.state).toEqual({ n: 2 });
    },
  );

  it("is not waited for in vain: what onUnfinishedGuard saves goes through", async () => {
    const store = new MemoryStore();
    const before = agentOver(store, { n: 1 });
    await new Promise<void>((begun) => {
      void before.manager.guard("op", () => new Promise(() => begun()));
    });
    await before.manager.close();
    const manager: ResilientCheckpointManager<{ n: number }> = new ResilientCheckpointManager("a", {
      store,
      collect: () => ({ n: 5 }),
      apply: () => {},
      onUnfinishedGuard: async (): Promise<"dismiss"> => {
        await manager.createCheckpoint("from the callback");
        return "dismiss";
      },
    });
    await manager.recover();
    expect((await manager.getLatest())?.name).toBe("from the callback");
  });

  it("leaves a recovery where onUnfinishedGuard itself restored to", async () => {
    const store = new MemoryStore();
    const before = agentOver(store, { n: 1 });
    await before.manager.createCheckpoint();
    await new Promise<void>((begun) => {
      void before.manager.guard("op", () => new Promise(() => begun()));
    });
    before.agent.state = { n: 2 };
    await before.manager.createCheckpoint();
    await before.manager.close();
    const { agent, manager } = agentOver(
      store,
      { n: 100 },
      {
        onUnfinishedGuard: async (): Promise<"dismiss"> => {
          await manager.restoreCheckpoint("a:1");
          return "dismiss";
        },
      },
    );
    const report = await manager.recover();
    expect([agent.state, report.checkpoint?.id, report.headId]).toEqual([{ n: 1 }, "a:1", "a:1"]);
    expect((await manager.createCheckpoint()).parentId).toBe("a:1");
  });

  it("is the child of what a fork starts from, and never its parent", async () => {
    const { agent, manager } = agentOver(new MemoryStore(), { n: 1 });
    await manager.createCheckpoint();
    agent.state = { n: 2 };
    await manager.createCheckpoint();
    const [forked] = await Promise.all([manager.fork("a:1"), manager.create("auto", { n: 9 })]);
    expect(forked.parentId).toBe("a:1");
    expect(await forked.data()).toEqual({ n: 1 });
    expect((await manager.lineage(forked)).map(({ id }) => id)).toEqual([forked.id, "a:1"]);
  });
});

describe("a group", () => {
  it("can be undone agent by agent after it was restored, and leads nowhere new when an apply failed", async () => {
    const store = new MemoryStore();
    let isRefusing = false;
    const [x, y] = ["x", "y"].map((agentId) => agentOver(store, { v: 1 }, { agentId })) as [
      ReturnType<typeof agentOver<{ v: number }>>,
      ReturnType<typeof agentOver<{ v: number }>>,
    ];
    const z = new ResilientCheckpointManager<number>("z", {
      store,
      collect: () => 1,
      apply: () => {
        if (isRefusing) throw new Error("no");
      },
    });
    await x.manager.createCheckpoint();
    x.agent.state = { v: 2 };
    await x.manager.restoreCheckpoint("x:1");
    for (const { agent } of [x, y]) agent.state = { v: 10 };
    const managers = [x.manager, y.manager, z];
    const group = await checkpointGroup(managers, "g");
    for (const { agent } of [x, y]) agent.state = { v: 20 };
    isRefusing = true;
    expect((await errorOf(restoreGroup(managers, group))).code).toBe("CKPT_APPLY_FAILED");
    isRefusing = false;
    expect(x.agent.state).toEqual({ v: 20 });
    await restoreGroup(managers, group);
    for (const { agent, manager } of [x, y]) {
      expect(agent.state).toEqual({ v: 10 });
      await manager.undoRestore();
      expect(agent.state).toEqual({ v: 20 });
    }
  });

  it("that waits for the restore of one member is not the head behind newer saves of the others", async () => {
    const store = new FaultyStore();
    const a = agentOver(store, { n: 1 });
    const b = agentOver(store, { n: 1 }, { agentId: "b" });
    await b.manager.createCheckpoint();
    b.agent.state = { n: 2 };
    const restoring = b.manager.restoreCheckpoint("b:1");
    const grouping = checkpointGroup([a.manager, b.manager], "g");
    a.agent.state = { n: 2 };
    await a.manager.createCheckpoint();
    await Promise.all([grouping, restoring]);
    for (const { agent, manager } of [a, b]) {
      const [head] = await manager.lineage();
      expect(await head?.data()).toEqual(agent.state);
    }
  });

  it("that waits for the collect of one member is not the head behind newer saves of the others", async () => {
    const store = new MemoryStore();
    const a = agentOver(store, { n: 1 });
    const collect = () => new Promise((resolve) => setTimeout(resolve, 5, { n: 1 })) as never;
    const b = agentOver(store, { n: 1 }, { agentId: "b", collect });
    const grouping = checkpointGroup([a.manager, b.manager], "g");
    a.agent.state = { n: 2 };
    await a.manager.createCheckpoint();
    await grouping;
    const [head] = await a.manager.lineage();
    expect([head?.name, await head?.data()]).toEqual(["g", { n: 2 }]);
  });

  it("tells each agent's drift monitor of its saves", async () => {
    const store = new MemoryStore();
    const [x, y] = ["x", "y"].map((agentId) => agentOver(store, { v: 1 }, { agentId }).manager);
    await checkpointGroup([x!, y!], "g");
    for (let i = 0; i < 40 && x!.driftVerdict().lastGood === null; i++)
      x!.observe({ tool: "t", action: "same", outcome: "error", observation: "same" });
    expect(x!.driftVerdict().lastGood?.checkpointId).toBe("x:1");
  });

  it("whose members cannot be captured rejects, and leaves no rejection unhandled", async () => {
    const store = new MemoryStore();
    const unhandled: unknown[] = [];
    const note = (error: unknown) => unhandled.push(error);
    process.on("unhandledRejection", note);
    const of = (agentId: string, collect: () => number | Promise<number>) =>
      new ResilientCheckpointManager<number>(agentId, { store, collect, apply: () => {} });
    const late = of("a", () => Promise.reject(new Error("late")));
    const early = of("b", () => {
      throw new Error("early");
    });
    await expect(checkpointGroup([late, early], "g")).rejects.toThrow("early");
    const signal = AbortSignal.abort();
    await expect(checkpointGroup([late, of("c", () => 1)], "g", { signal })).rejects.toThrow();
    await new Promise((resolve) => setTimeout(resolve, 5));
    process.off("unhandledRejection", note);
    expect(unhandled).toEqual([]);
  });
});
