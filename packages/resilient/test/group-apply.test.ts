import { MemoryStore } from "@ckpt/core";
import { checkpointGroup, type ResilientCheckpointManager, restoreGroup } from "@ckpt/resilient";
import { forName, keepLast } from "@ckpt/retention";
import { describe, expect, it } from "vitest";
import { agentOver, errorOf } from "./support/agent-bench.js";

async function headOf<State>(manager: ResilientCheckpointManager<State>): Promise<State | undefined> {
  const [head] = await manager.lineage();
  return head?.data();
}

describe("an apply of a group", () => {
  it("may save the other agents, and what it saves is what they were given", async () => {
    const store = new MemoryStore();
    const b = agentOver(store, { n: 1 }, { agentId: "b" });
    const a = agentOver(
      store,
      { n: 1 },
      {
        apply: async () => {
          await b.manager.createCheckpoint("from a");
          await checkpointGroup([a.manager, b.manager], "both");
        },
      },
    );
    await checkpointGroup([a.manager, b.manager], "g");
    b.agent.state = { n: 2 };
    await restoreGroup([a.manager, b.manager], "g");
    expect(b.agent.state).toEqual({ n: 1 });
    expect((await b.manager.getLatest())?.name).toBe("both");
    expect(await headOf(b.manager)).toEqual({ n: 1 });
  });
});

describe("a group that is put back because an apply failed", () => {
  it("is not followed by a save of the state that went", async () => {
    for (let turns = 0; turns < 40; turns++) {
      const store = new MemoryStore();
      const a = agentOver(store, { v: 1 });
      let saving: Promise<unknown> | undefined;
      const save = async () => {
        for (let i = 0; i < turns; i++) await Promise.resolve();
        await a.manager.createCheckpoint("auto");
      };
      const apply = () => {
        saving ??= save();
        throw new Error("no");
      };
      const b = agentOver(store, { v: 1 }, { agentId: "b", apply });
      await checkpointGroup([a.manager, b.manager], "g");
      a.agent.state = { v: 2 };
      await errorOf(restoreGroup([a.manager, b.manager], "g"));
      await saving;
      expect([turns, a.agent.state, await headOf(a.manager)]).toEqual([turns, { v: 2 }, { v: 2 }]);
    }
  });

  it("takes every agent back, also where the live state of one could not be had", async () => {
    const store = new MemoryStore();
    let isBroken = false;
    const a = agentOver(
      store,
      { v: 1 },
      {
        collect: (): { v: number } => {
          if (isBroken) throw new Error("broken");
          return a.agent.state;
        },
      },
    );
    const b = agentOver(store, { v: 1 }, { agentId: "b" });
    const apply = () => {
      throw new Error("no");
    };
    const c = agentOver(store, { v: 1 }, { agentId: "c", apply });
    const managers = [a.manager, b.manager, c.manager];
    await checkpointGroup(managers, "g");
    a.agent.state = { v: 2 };
    await a.manager.createCheckpoint();
    a.agent.state = { v: 3 };
    b.agent.state = { v: 3 };
    isBroken = true;
    const error = await errorOf(restoreGroup(managers, "g"));
    expect(error).toMatchObject({ code: "CKPT_APPLY_FAILED", details: { agentId: "c", putBack: false } });
    expect([a.agent.state, await headOf(a.manager)]).toEqual([{ v: 2 }, { v: 2 }]);
    expect([b.agent.state, await headOf(b.manager)]).toEqual([{ v: 3 }, { v: 3 }]);
  });

  it("says so where what an agent goes back to was removed meanwhile, and leaves it where its head is", async () => {
    const store = new MemoryStore();
    const a = agentOver(store, { v: 1 });
    const apply = async () => {
      await a.manager.remove("a:2");
      throw new Error("no");
    };
    const b = agentOver(store, { v: 1 }, { agentId: "b", apply });
    await checkpointGroup([a.manager, b.manager], "g");
    a.agent.state = { v: 2 };
    const error = await errorOf(restoreGroup([a.manager, b.manager], "g"));
    expect(error.details.putBack).toBe(false);
    expect([a.agent.state, await headOf(a.manager)]).toEqual([{ v: 1 }, { v: 1 }]);
    expect((await a.manager.createCheckpoint()).parentId).toBe("a:1");
  });

  it("still has what an undo led to, though retention ran meanwhile", async () => {
    const store = new MemoryStore();
    const a = agentOver(store, { v: 1 }, { retention: forName("routine", keepLast(1)) });
    let isRetaining = true;
    const apply = async () => {
      if (!isRetaining) return;
      isRetaining = false;
      await a.manager.applyRetention();
      throw new Error("no");
    };
    const b = agentOver(store, { v: 1 }, { agentId: "b", apply });
    await a.manager.createCheckpoint();
    a.agent.state = { v: 2 };
    await a.manager.createCheckpoint();
    await a.manager.restoreCheckpoint("a:1");
    await checkpointGroup([a.manager, b.manager], "g");
    await a.manager.createCheckpoint();
    expect((await errorOf(restoreGroup([a.manager, b.manager], "g"))).details.putBack).toBe(true);
    await a.manager.undoRestore();
    expect(a.agent.state).toEqual({ v: 2 });
  });
});
