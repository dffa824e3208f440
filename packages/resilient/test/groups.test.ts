import { MemoryStore } from "@ckpt/core";
import { checkpointGroup, ResilientCheckpointManager, restoreGroup } from "@ckpt/resilient";
import { describe, expect, it } from "vitest";
import { agentOver, errorOf } from "./support/agent-bench.js";
import { FaultyStore, ioError } from "./support/faulty-store.js";

function crew(store: FaultyStore | MemoryStore, count = 3) {
  return Array.from({ length: count }, (_, i) =>
    agentOver(store, { n: 0 }, { agentId: `agent-${count - i}` }),
  );
}

type Crew = ReturnType<typeof crew>[number]["manager"];

describe("checkpointGroup", () => {
  it("saves one moment of all agents in one commit, captured before it returns", async () => {
    const store = new FaultyStore();
    const agents = crew(store);
    const saving = checkpointGroup(
      agents.map(({ manager }) => manager),
      "milestone",
      { metadata: { phase: 2 } },
    );
    for (const { agent } of agents) agent.state.n = 9;
    const group = await saving;
    expect(store.batches).toHaveLength(1);
    expect(group.members).toEqual([
      { agentId: "agent-1", id: "agent-1:1" },
      { agentId: "agent-2", id: "agent-2:1" },
      { agentId: "agent-3", id: "agent-3:1" },
    ]);
    for (const { manager } of agents) {
      const latest = await manager.getLatestCheckpoint("milestone");
      expect(await latest?.data()).toEqual({ n: 0 });
      expect(latest?.metadata).toMatchObject({
        phase: 2,
        group: { groupId: group.groupId, name: "milestone" },
      });
    }
  });

  it("saves all or none", async () => {
    const store = new FaultyStore();
    const agents = crew(store, 2).map((it) => it);
    const strict = agents.map(({ agent }, i) => {
      return new ResilientCheckpointManager<{ n: number }>(`s-${i}`, {
        store,
        collect: agent.collect,
        apply: agent.apply,
      });
    });
    store.fail("commit", new Error("no such luck"));
    await expect(checkpointGroup(strict, "m")).rejects.toThrow("no such luck");
    for (const manager of strict) expect(await manager.length).toBe(0);
    store.heal();
    await checkpointGroup(strict, "m");
    for (const manager of strict) expect((await manager.getLatest())?.parentId).toBeNull();
  });

  it("keeps its turn among the saves around it, and never waits for itself", async () => {
    const store = new MemoryStore();
    const agents = crew(store, 2);
    const managers = agents.map(({ manager }) => manager);
    await Promise.all([
      managers[0]!.createCheckpoint("before"),
      checkpointGroup(managers, "one"),
      checkpointGroup([...managers].reverse(), "two"),
      managers[1]!.createCheckpoint("after"),
    ]);
    expect((await managers[0]!.getAll()).map(({ name }) => name)).toEqual(["before", "one", "two"]);
    expect((await managers[1]!.getAll()).map(({ name }) => name)).toEqual(["one", "two", "after"]);
  });

  it("says degraded when it reached memory only, and is flushed whole", async () => {
    const store = new FaultyStore();
    const managers = crew(store, 2).map(({ manager }) => manager);
    for (const manager of managers) await manager.createCheckpoint();
    store.fail("commit", ioError("EIO"));
    expect((await checkpointGroup(managers, "m")).durability).toBe("degraded");
    store.heal();
    expect(await managers[0]!.flush()).toBe(true);
    expect(await store.ids("agent-1")).toEqual(["agent-1:1", "agent-1:2"]);
    expect(await store.ids("agent-2")).toEqual(["agent-2:1", "agent-2:2"]);
  });

  it("leaves the others theirs, when one of its agents gives up what is in memory only", async () => {
    const store = new FaultyStore();
    const [one, two] = crew(store, 2).map(({ manager }) => manager) as [Crew, Crew];
    for (const manager of [one, two]) await manager.createCheckpoint();
    store.fail("commit", ioError("EIO"));
    await checkpointGroup([one, two], "m");
    await one.createCheckpoint();
    const { pendingBytes } = two.status();
    await one.close({ discard: true });
    expect(two.status()).toMatchObject({ pendingCommits: 1, pendingIds: [`${two.agentId}:2`] });
    expect(two.status().pendingBytes).toBeLessThan(pendingBytes);
    store.heal();
    await two.close();
    expect(await store.ids(one.agentId)).toEqual([`${one.agentId}:1`]);
    expect(await store.ids(two.agentId)).toEqual([`${two.agentId}:1`, `${two.agentId}:2`]);
  });

  it("refuses managers that share no store, an agent twice, and what is no manager", async () => {
    const [one, two] = [crew(new MemoryStore(), 1)[0]!.manager, agentOver(new MemoryStore(), 1).manager];
    const error = await errorOf(checkpointGroup([one, two], "m"));
    expect(error.code).toBe("CKPT_INVALID_ARGUMENT");
    expect(error.message).toContain("do not share a store");
    expect((await errorOf(checkpointGroup([one, one], "m"))).message).toContain("twice");
    expect((await errorOf(checkpointGroup([], "m"))).code).toBe("CKPT_INVALID_ARGUMENT");
    expect((await errorOf(checkpointGroup([{} as never], "m"))).code).toBe("CKPT_INVALID_ARGUMENT");
  });
});

describe("restoreGroup", () => {
  async function moved(store = new FaultyStore()) {
    const agents = crew(store);
    const managers = agents.map(({ manager }) => manager);
    const group = await checkpointGroup(managers, "m");
    for (const { agent, manager } of agents) {
      agent.state = { n: 5 };
      await manager.createCheckpoint();
      agent.state = { n: 6 };
    }
    return { store, agents, managers, group };
  }

  it.each(["the group", "its id", "its name"])("takes all agents back to one moment, by %s", async (how) => {
    const { store, agents, managers, group } = await moved();
    const before = store.batches.length;
    await restoreGroup(managers, how === "the group" ? group : how === "its id" ? group.groupId : "m");
    expect(store.batches.length).toBe(before + 1);
    for (const { agent, manager } of agents) {
      expect(agent.state).toEqual({ n: 0 });
      expect((await manager.createCheckpoint()).parentId).toBe(`${manager.agentId}:1`);
      expect((await manager.getByName("safety")).length).toBe(1);
    }
  });

  it("changes nothing when one member is damaged, though an older checkpoint of it is not", async () => {
    const { store, agents, managers } = await moved();
    for (const { agent } of agents) agent.state = { n: 5 };
    const group = await checkpointGroup(managers, "second");
    for (const { agent } of agents) agent.state = { n: 6 };
    store.damage("agent-2:3");
    expect((await errorOf(restoreGroup(managers, group))).code).toBe("CKPT_CORRUPT");
    for (const { agent, manager } of agents) {
      expect(agent.state).toEqual({ n: 6 });
      expect((await store.agent(manager.agentId))?.headId).toBe(`${manager.agentId}:3`);
    }
  });

  it("changes nothing when one member is missing", async () => {
    const { agents, managers, group } = await moved();
    await managers[1]!.remove(`${managers[1]!.agentId}:1`);
    const error = await errorOf(restoreGroup(managers, group));
    expect(error).toMatchObject({ code: "CKPT_NOT_FOUND", details: { agentId: managers[1]!.agentId } });
    for (const { agent } of agents) expect(agent.state).toEqual({ n: 6 });
  });

  it("puts everything back when one apply throws", async () => {
    const { store, agents, managers, group } = await moved();
    const broken = agents.find(({ manager }) => manager.agentId === "agent-2")!;
    let times = 0;
    broken.manager.on("restored", () => {});
    Object.assign(broken.agent, { armed: true });
    const failing = new ResilientCheckpointManager<{ n: number }>("agent-2", {
      store,
      retention: false,
      collect: broken.agent.collect,
      apply: (state) => {
        if (times++ === 0) throw new Error("not now");
        broken.agent.apply(state);
      },
    });
    await broken.manager.close();
    const crewNow = managers.map((manager) => (manager.agentId === "agent-2" ? failing : manager));
    const error = await errorOf(restoreGroup(crewNow, group));
    expect(error).toMatchObject({
      code: "CKPT_APPLY_FAILED",
      details: { agentId: "agent-2", putBack: true },
    });
    for (const { agent } of agents) expect(agent.state).toEqual({ n: 6 });
    for (const manager of crewNow) {
      const head = (await store.agent(manager.agentId))!.headId!;
      expect(await (await manager.get(head))?.data()).toEqual({ n: 6 });
    }
  });
});
