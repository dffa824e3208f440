import { describe, expect, it } from "vitest";
import { runScenarios } from "../src/run.js";
import type { Scenario } from "../src/scenario.js";
import { killLoop } from "../src/scenarios/kill-loop.js";
import { powerCuts } from "../src/scenarios/simulated.js";
import { findStore, type OpenStore, STORES } from "../src/stores.js";

async function short(scenario: Scenario, open: OpenStore) {
  const [result] = await runScenarios([scenario], {
    seed: 7,
    short: true,
    budgetMs: 30_000,
    driver: "",
    store: { isDisk: false, open },
    makeDirectory: () => Promise.reject(new Error("not needed")),
    removeDirectory: () => Promise.resolve(),
    show: () => undefined,
  });
  return result!.outcome;
}

describe("the simulated scenarios", () => {
  it("see that a store of somebody's own forgets everything", async () => {
    const open = await findStore(`${import.meta.dirname}/forgetful-store.mjs`);
    const { status, counts } = await short(powerCuts, open);
    expect(status).toBe("failed");
    expect(counts.lost).toBeGreaterThan(0);
  });

  it("are the only ones that take another store; the others say why they do not run", async () => {
    const { status, reason } = await short(killLoop, STORES.mirror!);
    expect([status, reason]).toEqual(["not run", "it looks at the files and processes of the disk store"]);
  });

  it("refuse a name that is no store, and a module that opens none", async () => {
    await expect(findStore("tape")).rejects.toThrow(/no store tape; there are disk, retry/);
    await expect(findStore(`${import.meta.dirname}/../../../tooling/steps.mjs`)).rejects.toThrow(
      /no function that opens a store/,
    );
  });
});
