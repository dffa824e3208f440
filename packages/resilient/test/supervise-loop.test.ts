import { MemoryStore } from "@ckpt/core";
import { invariant } from "@ckpt/drift";
import { type LoopClock, superviseLoop } from "@ckpt/resilient";
import { describe, expect, it } from "vitest";
import { agentOver, errorOf } from "./support/agent-bench.js";
import { FaultyStore, ioError } from "./support/faulty-store.js";

const minutes = 60_000;

/** A clock that a test moves; sleeping moves it. */
function fakeClock(): LoopClock & { ms: number; slept: number[] } {
  const clock = {
    ms: 0,
    slept: [] as number[],
    now: () => clock.ms,
    sleep: async (ms: number) => {
      clock.slept.push(ms);
      clock.ms += ms;
    },
  };
  return clock;
}

function bench(options = {}) {
  const store = new FaultyStore();
  const it = agentOver(store, { n: 0, budget: 100 }, { drift: false, ...options });
  const names = async () => (await it.manager.getAll()).map(({ name }) => name);
  return { store, ...it, names, clock: fakeClock(), handleSignals: false };
}

describe("superviseLoop", () => {
  it("saves a routine checkpoint every 30 minutes, and one at the end", async () => {
    const { agent, manager, clock, names } = bench();
    const summary = await superviseLoop(
      manager,
      (step) => {
        agent.state.n++;
        clock.ms += 10 * minutes;
        if (step.number === 7) step.stop();
      },
      { clock, refreshEveryMs: Number.POSITIVE_INFINITY },
    );
    expect(summary).toMatchObject({ reason: "stopped", steps: 7, routineCheckpoints: 3, errors: 0 });
    expect(await names()).toEqual(["routine", "routine", "routine"]);
    expect(await (await manager.get(summary.finalCheckpointId!))?.data()).toMatchObject({ n: 7 });
  });

  it.each([
    [
      "throws",
      () => {
        throw new Error("from onError");
      },
    ],
    ["rejects", () => Promise.reject(new Error("from onError"))],
  ])("goes on where onError %s, and reports that", async (_, onError) => {
    const { manager, clock, names } = bench();
    const told: string[] = [];
    manager.on("error", ({ during, error }) => told.push(`${during}: ${(error as Error).message}`));
    const step = ({ number }: { number: number }) => {
      if (number === 2) throw new Error("step");
    };
    const summary = await superviseLoop(manager, step, { clock, maxSteps: 3, onError });
    expect(summary).toMatchObject({ steps: 3, errors: 1, recoveryCheckpoints: 1 });
    expect(await names()).toEqual(["recovery", "routine"]);
    expect(told).toEqual(["onError of the supervised loop: from onError"]);
  });

  it("can save after every step", async () => {
    const { manager, clock, names } = bench();
    const summary = await superviseLoop(manager, () => {}, { clock, everyStep: true, maxSteps: 4 });
    expect(summary).toMatchObject({ reason: "max-steps", steps: 4, routineCheckpoints: 5 });
    expect((await names()).length).toBe(5);
  });

  it("takes a recovery checkpoint after 2 hours, and rebuilds the live state from it", async () => {
    const { agent, manager, clock, names } = bench();
    let live: object | undefined;
    const summary = await superviseLoop(
      manager,
      (step) => {
        if (step.number === 1) live = agent.state;
        if (step.number === 4) clock.ms += 120 * minutes;
      },
      { clock, maxSteps: 5, routineEveryMs: Number.POSITIVE_INFINITY },
    );
    expect(summary).toMatchObject({ refreshes: 1, recoveryCheckpoints: 1 });
    expect(await names()).toEqual(["recovery", "routine"]);
    expect(agent.state).toEqual(live);
    expect(agent.state).not.toBe(live);
  });

  it("leaves the refresh to the caller where that is wanted", async () => {
    const { agent, manager, clock } = bench();
    let refreshed = 0;
    const step = () => {
      clock.ms += 60 * minutes;
    };
    await superviseLoop(manager, step, {
      clock,
      maxSteps: 4,
      refresh: () => void refreshed++,
    });
    expect(refreshed).toBe(2);
    expect(agent.applied).toEqual([]);
  });

  it("saves a recovery checkpoint on an error and goes on, with growing pauses", async () => {
    const { agent, manager, clock, names } = bench();
    const errors: unknown[] = [];
    const summary = await superviseLoop(
      manager,
      (step) => {
        agent.state.n++;
        if (step.number <= 3) throw new Error(`no ${step.number}`);
        if (step.number === 5) step.stop();
      },
      { clock, onError: (error) => errors.push((error as Error).message) },
    );
    expect(summary).toMatchObject({ steps: 5, errors: 3, recoveryCheckpoints: 3 });
    expect(errors).toEqual(["no 1", "no 2", "no 3"]);
    expect(clock.slept).toEqual([1_000, 2_000, 4_000]);
    expect(await names()).toEqual(["recovery", "recovery", "recovery", "routine"]);
    expect((await manager.getAll())[0]?.metadata).toMatchObject({ reason: "error", error: "Error: no 1" });
  });

  it("gives up after too many errors in a row, with the last one as cause", async () => {
    const { manager, clock } = bench();
    const boom = new Error("boom");
    const run = superviseLoop(
      manager,
      () => {
        throw boom;
      },
      { clock, maxConsecutiveErrors: 4 },
    );
    const error = await errorOf(run);
    expect(error).toMatchObject({ code: "CKPT_LOOP_FAILED", cause: boom, details: { steps: 4, errors: 4 } });
    expect(clock.slept).toHaveLength(3);
  });

  it("goes on when not even the recovery checkpoint can be saved", async () => {
    const { store, manager, clock } = bench({ memoryBytesWhenDegraded: 0 });
    await manager.createCheckpoint();
    const summary = await superviseLoop(
      manager,
      (step) => {
        if (step.number === 1) {
          store.fail("commit", ioError("EIO"));
          throw new Error("boom");
        }
        store.heal();
      },
      { clock, maxSteps: 2 },
    );
    expect(summary).toMatchObject({ errors: 1, recoveryCheckpoints: 0, finalError: undefined });
  });

  it("counts a checkpoint that cannot be saved as an error of the loop", async () => {
    const { store, manager, clock } = bench({ memoryBytesWhenDegraded: 0 });
    await manager.createCheckpoint();
    store.fail("commit", ioError("ENOSPC"));
    const error = await errorOf(
      superviseLoop(manager, () => {}, { clock, everyStep: true, maxConsecutiveErrors: 3 }),
    );
    expect(error).toMatchObject({ code: "CKPT_LOOP_FAILED", cause: { code: "CKPT_NO_SPACE" } });
  });

  const inBudget = () => invariant((state: { budget: number }) => state.budget >= 0, { name: "budget" });

  it("goes back to the latest checkpoint from before the drift began", async () => {
    const { agent, manager, clock, names } = bench({ drift: { detectors: [], invariants: [inBudget()] } });
    const verdicts: string[] = [];
    let derailed = false;
    const summary = await superviseLoop(
      manager,
      (step) => {
        agent.state.n++;
        if (step.number === 4 && !derailed) {
          derailed = true;
          agent.state.budget = -5;
        }
      },
      {
        clock,
        everyStep: true,
        maxSteps: 6,
        onDrift: (verdict) => void verdicts.push(verdict.evidence[0]!.detector),
      },
    );
    expect(summary).toMatchObject({ driftRestores: 1, recoveryCheckpoints: 1 });
    expect(verdicts).toEqual(["budget"]);
    expect(agent.applied.at(-1)).toEqual({ n: 3, budget: 100 });
    expect(agent.state).toEqual({ n: 5, budget: 100 });
    const recovery = await manager.getLatest("recovery");
    expect(recovery?.metadata).toMatchObject({ reason: "drift" });
    expect(await names()).toContain("recovery");
    expect(manager.detectDrift()).toBe(false);
  });

  it("does not restore when the caller judges the drift harmless", async () => {
    const { agent, manager, clock } = bench({ drift: { detectors: [], invariants: [inBudget()] } });
    const summary = await superviseLoop(
      manager,
      (step) => {
        if (step.number === 2) agent.state.budget = -5;
        if (step.number === 3) agent.state.budget = 5;
      },
      { clock, everyStep: true, maxSteps: 4, onDrift: () => "ignore" },
    );
    expect(summary.driftRestores).toBe(0);
    expect(agent.applied).toEqual([]);
  });

  it("goes back further each time, and gives up, when the drift comes back after every restore", async () => {
    const { agent, manager, clock } = bench({ drift: { detectors: [], invariants: [inBudget()] } });
    const run = superviseLoop(
      manager,
      (step) => {
        agent.state = { ...agent.state, n: agent.state.n + 1, budget: step.number > 6 ? -1 : 100 };
      },
      { clock, everyStep: true, maxDriftRestores: 3 },
    );
    const error = await errorOf(run);
    expect(error).toMatchObject({ code: "CKPT_LOOP_FAILED", details: { driftRestores: 3 } });
    const targets = agent.applied.map(({ n }) => n);
    expect(targets).toEqual([...targets].sort((a, b) => b - a));
    expect(new Set(targets).size).toBe(3);
  });

  it("acts on the agent's own sign of drift: the latest routine checkpoint", async () => {
    let sign = false;
    const { agent, manager, clock } = bench({ detectCustomDrift: () => sign });
    const summary = await superviseLoop(
      manager,
      (step) => {
        agent.state.n = step.number;
        sign = step.number === 3;
      },
      { clock, everyStep: true, maxSteps: 4 },
    );
    expect(summary.driftRestores).toBe(1);
    expect(agent.applied.at(-1)).toMatchObject({ n: 2 });
  });

  it("tells the monitor of every step, by itself where the step says nothing", async () => {
    const { manager, clock } = bench();
    const seen: unknown[] = [];
    const observe = manager.observe.bind(manager);
    manager.observe = (signal) => {
      seen.push(signal);
      return observe(signal);
    };
    await superviseLoop(
      manager,
      (step) => {
        clock.ms += 5;
        if (step.number === 1)
          step.observe({ tool: "read", durationMs: 7, tokens: 9, outcome: "ok", observation: "text" });
        if (step.number === 3) throw new Error("x");
      },
      { clock, maxSteps: 3 },
    );
    expect(seen).toEqual([
      { step: 1, tool: "read", outcome: "ok", observation: "text", metrics: { durationMs: 7, tokens: 9 } },
      { step: 2, outcome: "ok", metrics: { durationMs: 5 } },
      { step: 3, outcome: "error", metrics: { durationMs: 5 } },
    ]);
  });

  it("ends with a final checkpoint when its signal fires, in the middle of a pause as well", async () => {
    const { agent, manager } = bench();
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 30);
    const summary = await superviseLoop(
      manager,
      () => {
        agent.state.n++;
        throw new Error("pause now");
      },
      { signal: controller.signal, minErrorDelayMs: 600_000 },
    );
    expect(summary).toMatchObject({ reason: "aborted", steps: 1, finalCheckpointId: "a:2" });
  });

  it("does not begin when its signal has fired already", async () => {
    const { manager } = bench();
    const summary = await superviseLoop(manager, () => {}, { signal: AbortSignal.abort() });
    expect(summary).toMatchObject({ reason: "aborted", steps: 0, finalCheckpointId: "a:1" });
  });

  it("waits for the step under way, and tells it to finish", async () => {
    const { agent, manager } = bench();
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 20);
    const summary = await superviseLoop(
      manager,
      async (step) => {
        await new Promise<void>((resolve) => step.signal.addEventListener("abort", () => resolve()));
        agent.state.n = 42;
      },
      { signal: controller.signal },
    );
    expect(summary.steps).toBe(1);
    expect(await (await manager.get(summary.finalCheckpointId!))?.data()).toMatchObject({ n: 42 });
  });

  it("does not wait longer than the grace for a step that hears nothing", async () => {
    const { manager } = bench();
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 10);
    const summary = await superviseLoop(manager, () => new Promise(() => {}), {
      signal: controller.signal,
      graceMs: 20,
    });
    expect(summary.finalCheckpointId).toBe("a:1");
    expect((await manager.get("a:1"))?.metadata).toMatchObject({ midStep: true, reason: "final: aborted" });
  });

  it.each(["SIGTERM", "SIGINT"] as const)(
    "turns %s into a final checkpoint, and leaves no listener behind",
    async (name) => {
      const { agent, manager } = bench();
      const before = process.listenerCount(name);
      const summary = await superviseLoop(manager, (step) => {
        agent.state.n = step.number;
        if (step.number === 3) process.kill(process.pid, name);
        return new Promise((resolve) => setTimeout(resolve, 5));
      });
      expect(summary.reason).toBe(name);
      expect(summary.finalCheckpointId).not.toBeNull();
      expect(process.listenerCount(name)).toBe(before);
    },
  );

  it("leaves the process's signals alone where that is wanted, and no listeners on the caller's signal", async () => {
    const { manager, clock } = bench();
    const controller = new AbortController();
    let added = 0;
    const { addEventListener, removeEventListener } = controller.signal;
    controller.signal.addEventListener = (...args: unknown[]) => {
      added++;
      return addEventListener.apply(controller.signal, args as never);
    };
    controller.signal.removeEventListener = (...args: unknown[]) => {
      added--;
      return removeEventListener.apply(controller.signal, args as never);
    };
    let during = -1;
    const before = process.listenerCount("SIGTERM");
    await superviseLoop(
      manager,
      () => {
        during = process.listenerCount("SIGTERM");
      },
      { clock, maxSteps: 1, handleSignals: false, signal: controller.signal },
    );
    expect(during).toBe(before);
    expect(added).toBe(0);
  });

  it("says when the final checkpoint failed", async () => {
    const { store, manager, clock } = bench({ memoryBytesWhenDegraded: 0 });
    await manager.createCheckpoint();
    const summary = await superviseLoop(manager, () => store.fail("commit", ioError("EIO")), {
      clock,
      maxSteps: 1,
    });
    expect(summary.finalCheckpointId).toBeNull();
    expect(summary.finalError).toMatchObject({ code: "CKPT_IO" });
  });

  it("refuses numbers that cannot be meant", async () => {
    const { manager } = bench();
    const error = await errorOf(superviseLoop(manager, () => {}, { routineEveryMs: Number.NaN }));
    expect(error).toMatchObject({ code: "CKPT_INVALID_ARGUMENT", details: { option: "routineEveryMs" } });
    expect((await errorOf(superviseLoop({} as never, () => {}))).code).toBe("CKPT_INVALID_ARGUMENT");
  });

  it("leaves a loop that never saves without a timer: a process with nothing else to do can end", async () => {
    const { manager } = agentOver(new MemoryStore(), 1);
    await superviseLoop(manager, () => {}, { maxSteps: 3, handleSignals: false });
    await manager.close();
    expect(manager.status().closed).toBe(true);
  });
});
