import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { StandardSchema } from "@ckpt/core";
import {
  anyOf,
  DiskStore,
  gfs,
  invariant,
  keepLast,
  keepWithin,
  monitor,
  ResilientCheckpointManager,
  shift,
  stall,
  superviseLoop,
  withFallback,
} from "@ckpt/resilient";
import { describe, expect, it } from "vitest";
import { temporaryDirectory } from "./support/child.js";

interface AgentState {
  steps: number;
  budget: number;
  plan: string[];
}

/** What zod makes of such a type: any Standard Schema will do. */
const AgentState: StandardSchema<AgentState> = {
  "~standard": {
    version: 1,
    vendor: "test",
    validate: (value) =>
      Array.isArray((value as AgentState).plan)
        ? { value: value as AgentState }
        : { issues: [{ message: "plan must be a list", path: ["plan"] }] },
  },
};
const budgetIsMonotone = (state: AgentState): boolean => state.budget <= 100;

describe("what users should be able to write", () => {
  it("an agent's loop, nothing configured", async () => {
    const before = process.cwd();
    process.chdir(await temporaryDirectory());
    try {
      const agent = { state: { steps: 0 }, step: async () => void agent.state.steps++ };
      const { signal } = new AbortController();
      const [tool, durationMs, outcome] = ["read", 5, "ok"] as const;
      // As printed.
      const checkpoints = new ResilientCheckpointManager<{ steps: number }>("agent-3", {
        collect: () => agent.state,
        apply: (state) => {
          agent.state = state;
        },
      });
      const report = await checkpoints.recover();
      await superviseLoop(
        checkpoints,
        async (step) => {
          await agent.step();
          step.observe({ tool, durationMs, outcome });
          if (step.number === 3) step.stop();
        },
        { signal },
      );
      expect(report.checkpoint).toBeNull();
      expect(await (await checkpoints.getLatestCheckpoint())?.data()).toEqual({ steps: 3 });
      // before something risky
      const db = { migrate: async () => {} };
      await checkpoints.guard("drop-table", async () => {
        await db.migrate();
      });
      await checkpoints.close();
      expect(await readdir(".")).toEqual([".ckpt"]);
    } finally {
      process.chdir(before);
    }
  });

  it("composing: own store, own policy, own detector", async () => {
    const root = await temporaryDirectory();
    const store = withFallback(
      new DiskStore(join(root, "ssd/ckpt")),
      new DiskStore(join(root, "backup/ckpt")),
    );
    const old = new ResilientCheckpointManager<object>("agent-3", { store, version: 2 });
    await old.create("routine", { steps: 1, budget: 50 });
    await old.close();
    let state: AgentState = { steps: 0, budget: 0, plan: [] };
    const manager = new ResilientCheckpointManager("agent-3", {
      store,
      schema: AgentState,
      version: 3,
      migrations: { 2: (s: object) => ({ ...s, plan: [] }) },
      retention: anyOf(keepLast(10), keepWithin({ days: 7 }), gfs({ daily: 14 })),
      drift: monitor({
        maxFalseAlarmsPer10k: 1,
        detectors: [stall(), shift("durationMs"), invariant(budgetIsMonotone)],
      }),
      collect: () => state,
      apply: (restored) => {
        state = restored;
      },
    });
    await manager.recover();
    expect(state).toEqual({ steps: 1, budget: 50, plan: [] });
    await manager.createCheckpoint();
    expect(manager.detectDrift()).toBe(false);
    state.budget = 500;
    await manager.createCheckpoint();
    expect(manager.detectDrift()).toBe(true);
    expect(manager.driftVerdict().evidence[0]?.detector).toBe("budgetIsMonotone");
    await manager.close();
    await store.close();
  });
});
