import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runScenarios } from "../src/run.js";
import type { Scenario } from "../src/scenario.js";
import { killLoop } from "../src/scenarios/kill-loop.js";
import { powerCuts } from "../src/scenarios/simulated.js";
import { findStore } from "../src/stores.js";

const EXPLORER = join(import.meta.dirname, "../dist/explorer.js");

async function short(scenario: Scenario, store: string) {
  const [result] = await runScenarios([scenario], {
    seed: 7,
    short: true,
    driver: "",
    explorer: EXPLORER,
    tender: "",
    store,
    makeDirectory: () => Promise.reject(new Error("not needed")),
    removeDirectory: () => Promise.resolve(),
    show: () => undefined,
  });
  return result!.outcome;
}

describe("the simulated scenarios", () => {
  it("see that a store of somebody's own forgets everything", async () => {
    const { status, counts } = await short(powerCuts, `${import.meta.dirname}/forgetful-store.mjs`);
    expect(status).toBe("failed");
    expect(counts.lost).toBeGreaterThan(0);
  });

  it("say which part it was when a process of theirs ends in the midst of it, and what it printed", async () => {
    const { status, failures } = await short(powerCuts, `${import.meta.dirname}/dying-store.mjs`);
    expect(status).toBe("failed");
    expect(failures[0]).toMatch(
      /cuts, \w+ with seed 7, part 1\/1: its process ended with 3\n.*the last words of a store/s,
    );
  });

  it("are the only ones that take another store; the others say why they do not run", async () => {
    const { status, reason } = await short(killLoop, "mirror");
    expect([status, reason]).toEqual(["not run", "it looks at the files and processes of the disk store"]);
  });

  it("refuse a name that is no store, and a module that opens none", async () => {
    await expect(findStore("tape")).rejects.toThrow(/no store tape; there are disk, retry/);
    await expect(findStore(`${import.meta.dirname}/../../../tooling/steps.mjs`)).rejects.toThrow(
      /no function that opens a store/,
    );
  });
});
