import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { killLoop } from "../src/parent/kill-loop.js";
import { killPlan } from "../src/parent/kill-plan.js";
import { Ledger, type Recovery } from "../src/parent/ledger.js";
import type { Line } from "../src/shared/protocol.js";
import { scratch } from "./scratch.js";

const program = fileURLToPath(new URL("fixtures/counting-agent.mjs", import.meta.url));

async function run(folder: string, options: { kills: number; maxSteps: number | null; stopAtStep?: number }) {
  const ledger = new Ledger();
  const killed: Recovery[] = [];
  const stop = new AbortController();
  const ended = await killLoop({
    program,
    orders: {
      directory: await scratch(),
      folder,
      mailbox: "",
      seed: 1,
      maxSteps: options.maxSteps,
      latencyMs: { min: 0, max: 0 },
    },
    plan: killPlan(options.kills, 5, 24),
    ledger,
    signal: stop.signal,
    onLine: (line: Line) => {
      if (line.type === "step" && line.step === options.stopAtStep) stop.abort();
    },
    onKilled: async (recovery) => void killed.push(recovery),
  });
  return { ended, ledger, killed };
}

describe("the kill loop", () => {
  it("kills real processes as planned, and lets the last one end", async () => {
    const { ended, ledger, killed } = await run("honest", { kills: 3, maxSteps: 60 });
    expect(ended).toBe("steps");
    expect(killed).toHaveLength(3);
    expect(ledger.lost).toEqual([]);
    expect(ledger.steps.length).toBe(60);
    expect(
      ledger.recoveries.every(({ recoveredStep, lastAcked }) => (recoveredStep ?? -1) >= lastAcked),
    ).toBe(true);
  });

  it("finds an agent out that forgets an acknowledged step", async () => {
    const { ledger } = await run("forgets", { kills: 3, maxSteps: 60 });
    expect(ledger.lost.length).toBeGreaterThan(0);
    expect(ledger.lost[0]).toMatch(/was acknowledged; a:\d+ came back/);
  });

  it("hands on the words of a process that dies of an error", async () => {
    await expect(run("crashes", { kills: 0, maxSteps: null })).rejects.toMatchObject({
      code: "CKPT_IO",
      hint: expect.stringContaining("out of luck"),
    });
  });

  it("asks the process to stop when it is told to, and waits for its last words", async () => {
    const { ended, ledger } = await run("honest", { kills: 0, maxSteps: null, stopAtStep: 4 });
    expect(ended).toBe("stopped");
    expect(ledger.steps.length).toBeGreaterThanOrEqual(4);
  });
});
