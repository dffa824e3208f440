import { CkptError, MemoryStore } from "@ckpt/core";
import { ResilientCheckpointManager, superviseLoop } from "@ckpt/resilient";
import { describe, expect, it } from "vitest";
import { agentOver, errorOf } from "./support/agent-bench.js";
import { FaultyStore, ioError } from "./support/faulty-store.js";

/** A state that can be made one that no checkpoint takes. */
interface Tools {
  n: number;
  run?: () => void;
}

const fragile = () => agentOver<Tools>(new MemoryStore(), { n: 1 });

describe("a live state that cannot be saved", () => {
  it("is replaced when a guarded operation left it behind", async () => {
    const { agent, manager } = fragile();
    const told: string[] = [];
    manager.on("error", ({ during }) => told.push(during));
    const error = await errorOf(
      manager.guard("op", () => {
        agent.state.run = () => {};
        throw new Error("boom");
      }),
    );
    expect(error).toMatchObject({ code: "CKPT_GUARD_FAILED", details: { restored: true } });
    expect(agent.state).toEqual({ n: 1 });
    expect(told).toEqual(["saving the live state before a restore"]);
  });

  it("is replaced by a restore, whose undo leads to the former head; with safety true it rejects", async () => {
    const { agent, manager } = fragile();
    await manager.createCheckpoint();
    agent.state = { n: 2 };
    await manager.createCheckpoint();
    agent.state.run = () => {};
    expect((await errorOf(manager.restoreCheckpoint("a:1", { safety: true }))).code).toBe(
      "CKPT_REFUSED_STATE",
    );
    expect((await manager.restoreCheckpoint("a:1")).undoId).toBe("a:2");
    expect(agent.state).toEqual({ n: 1 });
    await manager.undoRestore();
    expect(agent.state).toEqual({ n: 2 });
  });

  it.each([
    ["throws", () => Promise.reject(new Error("no state"))],
    [
      "rejects",
      (): never => {
        throw new Error("no state");
      },
    ],
  ])("is replaced where collect %s", async (_, broken) => {
    let isBroken = false;
    const applied: number[] = [];
    const manager = new ResilientCheckpointManager<number>("a", {
      store: new MemoryStore(),
      collect: () => (isBroken ? broken() : 1),
      apply: (state) => void applied.push(state),
    });
    await manager.createCheckpoint();
    isBroken = true;
    await manager.restoreCheckpoint("a:1");
    expect(applied).toEqual([1]);
  });

  it("is replaced where memory has no room for it", async () => {
    const store = new FaultyStore();
    const { agent, manager } = agentOver(
      store,
      { s: "a" },
      { memoryBytesWhenDegraded: 10_000, retry: false },
    );
    await manager.createCheckpoint();
    store.fail("commit", ioError("EIO"));
    const error = await errorOf(
      manager.guard("op", () => {
        agent.state = { s: "c".repeat(9_000) };
        throw new Error("boom");
      }),
    );
    expect(error).toMatchObject({ code: "CKPT_GUARD_FAILED", details: { restored: true } });
    expect(agent.state).toEqual({ s: "a" });
    store.heal();
    await manager.close();
  });

  it("is what a supervised loop restores from, too", async () => {
    const agent: { state: Tools } = { state: { n: 0 } };
    const manager = new ResilientCheckpointManager<Tools>("a", {
      store: new MemoryStore(),
      collect: () => agent.state,
      apply: (state) => {
        agent.state = state;
      },
      detectCustomDrift: () => agent.state.run !== undefined,
    });
    const errors: unknown[] = [];
    const summary = await superviseLoop(
      manager,
      ({ number }) => {
        agent.state.n++;
        if (number === 3) agent.state.run = () => {};
      },
      { everyStep: true, maxSteps: 5, handleSignals: false, onError: (error) => void errors.push(error) },
    );
    expect(summary).toMatchObject({ driftRestores: 1, errors: 0, finalError: undefined });
    expect(agent.state).toEqual({ n: 4 });
    expect(errors).toMatchObject([{ code: "CKPT_REFUSED_STATE" }]);
  });
});

describe("a save that was committed", () => {
  it("is not made a failed one by a logger that throws", async () => {
    const fail = () => {
      throw new Error("logger");
    };
    const logger = { debug: fail, info: fail, warn: fail, error: fail };
    const { agent, manager } = agentOver(new MemoryStore(), { n: 0 }, { logger, retention: undefined });
    const told = new Set<string>();
    manager.on("error", ({ during }) => told.add(during));
    for (let n = 1; n <= 20; n++) {
      agent.state = { n };
      await manager.createCheckpoint();
    }
    await manager.applyRetention();
    expect([...told]).toEqual(["logging"]);
    await manager.close();
  });

  it("is not made a failed one by a detector that throws", async () => {
    const detector = {
      name: "mine",
      toJSON: () => ({ type: "mine", name: "mine" }),
      observe() {
        throw new CkptError("CKPT_INVALID_ARGUMENT", { message: "detector" });
      },
      acknowledge() {},
      reset() {},
    };
    const { manager } = agentOver(new MemoryStore(), { n: 0 }, { drift: { detectors: [detector as never] } });
    const told: string[] = [];
    manager.on("error", ({ during }) => told.push(during));
    expect((await manager.createCheckpoint()).id).toBe("a:1");
    expect(told).toEqual(["observing a save"]);
    expect(manager.status().lastSaved?.id).toBe("a:1");
  });
});
