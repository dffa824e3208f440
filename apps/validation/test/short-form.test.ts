import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runScenarios } from "../src/run.js";
import type { Scenario } from "../src/scenario.js";
import { damage } from "../src/scenarios/damage.js";
import { failedSyncs, powerCuts } from "../src/scenarios/simulated.js";

const SEED = 7;

async function short(scenario: Scenario) {
  const [result] = await runScenarios([scenario], {
    seed: SEED,
    short: true,
    budgetMs: 30_000,
    driver: join(import.meta.dirname, "../dist/driver.js"),
    makeDirectory: () => mkdtemp(join(tmpdir(), "ckpt-validation-test-")),
    removeDirectory: (path) => rm(path, { recursive: true, force: true }),
    show: () => undefined,
  });
  expect(result?.outcome.failures).toEqual([]);
  expect(result?.outcome.status).toBe("passed");
  return result!.outcome.counts;
}

// The shortened forms, with a fixed seed; `npm run validate` runs the whole.
describe("the harness in short", () => {
  it("loses nothing in power cuts", async () => {
    expect((await short(powerCuts)).cutStates).toBeGreaterThan(50);
  });

  it("trusts no file after a failed sync", async () => {
    expect((await short(failedSyncs)).failedSyncs).toBeGreaterThan(10);
  });

  it("names what damage at rest costs, and returns nothing wrong", async () => {
    expect((await short(damage)).damages).toBeGreaterThan(30);
  });
});
