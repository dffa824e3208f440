import { MemoryStore } from "@ckpt/core";
import { errorStreak, invariant, monitor } from "@ckpt/drift";
import { ResilientCheckpointManager } from "@ckpt/resilient";
import { describe, expect, it } from "vitest";
import { agentOver } from "./support/agent-bench.js";
import { FaultyStore } from "./support/faulty-store.js";

/** An agent that goes round in circles: three files, read again and again. */
function spin(manager: ResilientCheckpointManager<never>, times: number): void {
  for (let i = 0; i < times; i++) {
    const file = `${"abc"[i % 3]}.txt`;
    manager.observe({
      tool: "read",
      action: `read ${file}`,
      observation: `what is in ${file}`,
      outcome: "ok",
    });
  }
}

describe("drift", () => {
  it("is a boolean at once, with the verdict beside it", () => {
    const { manager } = agentOver<never>(new MemoryStore(), undefined as never);
    expect(manager.detectDrift()).toBe(false);
    expect(manager.driftVerdict()).toMatchObject({ level: "ok", evidence: [] });
  });

  it("is noticed by default in an agent that goes round in circles, with one event per episode", async () => {
    const { agent, manager } = agentOver<{ n: number }>(new MemoryStore(), { n: 0 });
    const seen: string[] = [];
    manager.on("drift", ({ verdict }) => seen.push(verdict.level));
    for (let n = 1; n <= 60; n++) {
      agent.state = { n };
      manager.observe({
        tool: `tool-${n % 7}`,
        action: `step ${n}`,
        observation: `result ${n * 7919}`,
        outcome: "ok",
      });
      await manager.createCheckpoint();
    }
    expect(manager.detectDrift()).toBe(false);
    spin(manager as never, 60);
    expect(manager.detectDrift()).toBe(true);
    expect(seen).toEqual(["drift"]);
    const verdict = manager.driftVerdict();
    expect(verdict.evidence.length).toBeGreaterThan(0);
    const before = await manager.getCheckpointBeforeDrift();
    expect(before?.sequence).toBeLessThanOrEqual(60);
    expect(before?.sequence).toBeGreaterThan(50);
    manager.acknowledgeDrift();
    expect(manager.detectDrift()).toBe(false);
  });

  it("reads the saved state in declared invariants", async () => {
    const budget = invariant((state: { budget: number }) => state.budget >= 0, { name: "budget" });
    const { agent, manager } = agentOver(
      new MemoryStore(),
      { budget: 1 },
      { drift: { invariants: [budget] } },
    );
    await manager.createCheckpoint();
    expect(manager.detectDrift()).toBe(false);
    agent.state = { budget: -1 };
    await manager.createCheckpoint();
    expect(manager.detectDrift()).toBe(true);
    expect((await manager.getCheckpointBeforeDrift())?.id).toBe("a:1");
  });

  it("hears of damage that a restore met", async () => {
    const store = new FaultyStore();
    const { agent, manager } = agentOver(store, { n: 1 });
    await manager.createCheckpoint();
    agent.state = { n: 2 };
    await manager.createCheckpoint();
    store.damage("a:2");
    await manager.restoreCheckpoint("a:2");
    await manager.createCheckpoint();
    expect(manager.driftVerdict().level).toBe("corrupt");
  });

  it("survives a restart: the monitor goes on where it was", async () => {
    const store = new MemoryStore();
    const first = agentOver<never>(store, undefined as never, {
      drift: monitor({ detectors: [errorStreak()] }),
    });
    for (let i = 0; i < 40; i++) first.manager.observe({ outcome: i % 2 === 0 ? "ok" : "error" });
    await first.manager.create("x", undefined as never);
    await first.manager.close();
    const second = agentOver<never>(store, undefined as never, {
      drift: monitor({ detectors: [errorStreak()] }),
    });
    await second.manager.recover();
    const countOf = async () =>
      ((await store.agent("a"))!.notes["ckpt.drift"] as { monitor: { count: number } }).monitor.count;
    expect(await countOf()).toBe(41);
    second.manager.observe({ outcome: "ok" });
    await second.manager.close();
    expect(await countOf()).toBe(42);
  });

  it("goes by what is configured now: a new invariant watches, a changed detector begins anew, the rest goes on", async () => {
    const store = new MemoryStore();
    const first = agentOver(store, { budget: 1 }, { drift: { pollers: [] } });
    for (let i = 0; i < 10; i++) first.manager.observe({ tool: "x", outcome: "error", observation: `${i}` });
    await first.manager.createCheckpoint();
    await first.manager.close();
    const budget = invariant((state: { budget: number }) => state.budget >= 0, { name: "budget" });
    const second = agentOver(store, { budget: 0 }, { drift: { pollers: ["wait*"], invariants: [budget] } });
    await second.manager.recover();
    second.agent.state = { budget: -1 };
    await second.manager.createCheckpoint();
    expect(second.manager.driftVerdict().evidence.map(({ detector }) => detector)).toContain("budget");
    await second.manager.close();
    const note = (await store.agent("a"))!.notes["ckpt.drift"] as {
      monitor: {
        count: number;
        detectors: { name: string; pollers?: string[]; steps?: unknown; errors?: number }[];
      };
    };
    expect(note.monitor.count).toBe(12);
    const named = new Map(note.monitor.detectors.map((detector) => [detector.name, detector]));
    expect(named.get("stall")).toMatchObject({ pollers: ["wait*"], steps: 0 });
    expect(named.get("errorStreak")).toMatchObject({ streak: 10 });
  });

  it("starts anew when the stored monitor cannot be read, and says so", async () => {
    const store = new MemoryStore();
    await store.commit([
      {
        op: "event",
        agentId: "a",
        event: { kind: "note", topic: "ckpt.drift", body: { format: "nonsense" } },
      },
    ]);
    const warned: string[] = [];
    const nothing = () => {};
    const logger = {
      debug: nothing,
      info: nothing,
      error: nothing,
      warn: (message: string) => warned.push(message),
    };
    const { manager } = agentOver<never>(store, undefined as never, { logger });
    await manager.recover();
    expect(warned).toEqual(["the stored drift monitor could not be read; a new one begins"]);
    expect(manager.detectDrift()).toBe(false);
  });

  it("can be turned off", async () => {
    const { manager } = agentOver<never>(new MemoryStore(), undefined as never, { drift: false });
    spin(manager, 200);
    expect(manager.detectDrift()).toBe(false);
  });

  it("costs no commit: the monitor's state rides on a save, now and then", async () => {
    const store = new FaultyStore();
    const { agent, manager } = agentOver(store, { n: 0 });
    for (let n = 0; n < 2_100; n++) {
      agent.state = { n };
      await manager.createCheckpoint();
    }
    expect(store.batches).toHaveLength(2_100);
    const notes = store.batches.flat().filter((entry) => entry.op === "event" && entry.event.kind === "note");
    expect(notes.length).toBe(2);
  });

  it("does not take repeated saves of guards and recoveries for a loop", async () => {
    const { manager } = agentOver(new MemoryStore(), { n: 1 });
    for (let i = 0; i < 50; i++) await manager.guard("x", () => {});
    for (let i = 0; i < 50; i++) await manager.createCheckpoint("recovery");
    expect(manager.detectDrift()).toBe(false);
  });
});

describe("customising by subclass, as in the reference", () => {
  class CustomCheckpointManager extends ResilientCheckpointManager<{ n: number }> {
    sign = false;

    protected override getCustomState() {
      return { special_data: 7 };
    }

    protected override getOperationalContext() {
      return { ...super.getOperationalContext(), custom_fields: this.getCustomState() };
    }

    override detectDrift(): boolean {
      return super.detectDrift() || this.detectCustomDrift();
    }

    protected override detectCustomDrift(): boolean {
      return this.sign;
    }
  }

  it("adds to the context and the custom state, and to what counts as drift", async () => {
    const manager = new CustomCheckpointManager("a", {
      store: new MemoryStore(),
      collect: () => ({ n: 1 }),
      apply: () => {},
    });
    const saved = await manager.createCheckpoint("routine", { mine: true });
    expect(saved.metadata).toMatchObject({
      mine: true,
      custom: { special_data: 7 },
      context: { agentId: "a", custom_fields: { special_data: 7 } },
    });
    expect(await saved.data()).toEqual({ n: 1 });
    expect(manager.detectDrift()).toBe(false);
    manager.sign = true;
    expect(manager.detectDrift()).toBe(true);
    expect((await manager.getCheckpointBeforeDrift())?.id).toBe("a:1");
  });

  it("does the same as plain options", async () => {
    let sign = false;
    const manager = new ResilientCheckpointManager("a", {
      store: new MemoryStore(),
      collect: () => 1,
      getOperationalContext: (context) => ({ ...context, shift: "night" }),
      getCustomState: () => ({ mood: "good" }),
      detectCustomDrift: () => sign,
    });
    const { metadata } = await manager.createCheckpoint();
    expect(metadata).toMatchObject({
      context: { shift: "night", pid: process.pid },
      custom: { mood: "good" },
    });
    sign = true;
    expect(manager.detectDrift()).toBe(true);
  });

  it("has registered tasks and counters in the default context", async () => {
    const { manager } = agentOver(new MemoryStore(), 1);
    manager.setTask("index", { done: 3, of: 10 });
    manager.setTask("over", "soon");
    manager.setTask("over", null);
    manager.addToCounter("tool_calls");
    manager.addToCounter("tool_calls", 2);
    const { context } = (await manager.createCheckpoint()).metadata as { context: Record<string, unknown> };
    expect(context).toMatchObject({
      agentId: "a",
      tasks: { index: { done: 3, of: 10 } },
      counters: { tool_calls: 3 },
    });
    expect(Object.keys(context).sort()).toEqual(
      [
        "agentId",
        "counters",
        "host",
        "memoryBytes",
        "node",
        "pid",
        "platform",
        "tasks",
        "uptimeSeconds",
      ].sort(),
    );
    expect(() => manager.addToCounter("x", Number.NaN)).toThrow(
      expect.objectContaining({ code: "CKPT_INVALID_ARGUMENT" }),
    );
    for (let i = 0; i < 255; i++) manager.setTask(`t${i}`, 1);
    expect(() => manager.setTask("one more", 1)).toThrow(
      expect.objectContaining({ code: "CKPT_INVALID_ARGUMENT" }),
    );
  });

  it("keeps the context out of the state's hash", async () => {
    const { manager } = agentOver(new MemoryStore(), { n: 1 });
    const one = await manager.createCheckpoint();
    manager.addToCounter("x");
    const two = await manager.createCheckpoint();
    expect(two.stateHash).toBe(one.stateHash);
    expect(two.metadata).not.toEqual(one.metadata);
  });
});
