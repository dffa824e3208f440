import { join } from "node:path";
import { ResilientCheckpointManager } from "@ckpt/resilient";
import { describe, expect, it } from "vitest";
import { errorOf } from "./support/agent-bench.js";
import { startAgent, temporaryDirectory } from "./support/child.js";

interface State {
  n: number;
  log: string[];
}

function reopen(directory: string, agentId = "agent-1", options = {}) {
  const agent: { state: State } = { state: { n: -1, log: [] } };
  const manager = new ResilientCheckpointManager<State>(agentId, {
    directory,
    collect: () => agent.state,
    apply: (state) => {
      agent.state = state;
    },
    ...options,
  });
  return { agent, manager };
}

describe("an agent that is killed", () => {
  it("goes on from its last acknowledged save, every time", async () => {
    const directory = join(await temporaryDirectory(), "store");
    const kills = Number(process.env.CKPT_KILLS ?? 8);
    let acknowledged = 0;
    for (let i = 0; i < kills; i++) {
      const child = await startAgent(["run", directory]);
      await child.line("RECOVERED");
      const recovered = child.last("RECOVERED");
      expect(recovered).toBeGreaterThanOrEqual(acknowledged);
      expect(recovered).toBeLessThanOrEqual(acknowledged + 1);
      await child.line("ACK");
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 150));
      await child.kill();
      acknowledged = child.last("ACK");
      expect(child.lines.filter((line) => line.startsWith("DEGRADED") || line.startsWith("ERR"))).toEqual([]);
    }
    const { agent, manager } = reopen(directory);
    const report = await manager.recover();
    expect(report.skipped).toEqual([]);
    expect(agent.state.n).toBeGreaterThanOrEqual(acknowledged);
    expect(agent.state.log.at(-1)).toBe(`step ${agent.state.n}`);
    await manager.close();
  });

  it("does not have a rollback undone by the crash", async () => {
    const directory = join(await temporaryDirectory(), "store");
    const child = await startAgent(["rollback", directory]);
    await child.line("RESTORED 2");
    await child.kill();
    const { agent, manager } = reopen(directory);
    await manager.recover();
    expect(agent.state.n).toBe(2);
    agent.state.n = 77;
    expect((await manager.createCheckpoint()).sequence).toBeGreaterThan(5);
    await manager.close();
    const again = reopen(directory);
    await again.manager.recover();
    expect(again.agent.state.n).toBe(77);
    await again.manager.close();
  });

  it("is offered the state from before an operation that it never finished", async () => {
    const directory = join(await temporaryDirectory(), "store");
    const child = await startAgent(["guarded", directory]);
    await child.line("IN-GUARD");
    await child.kill();
    const { agent, manager } = reopen(directory);
    const report = await manager.recover();
    expect(agent.state.n).toBe(999);
    expect(report.unfinishedGuards).toMatchObject([{ operation: "drop-table" }]);
    await report.unfinishedGuards[0]!.restore();
    expect(agent.state.n).toBe(1);
    await manager.close();
    const again = reopen(directory);
    expect((await again.manager.recover()).unfinishedGuards).toEqual([]);
    expect(again.agent.state.n).toBe(1);
    await again.manager.close();
  });

  it("frees its agent at once", async () => {
    const directory = join(await temporaryDirectory(), "store");
    const child = await startAgent(["hold", directory]);
    await child.line("HELD");
    await child.kill();
    const startMs = performance.now();
    const { manager } = reopen(directory);
    await manager.recover();
    expect(performance.now() - startMs).toBeLessThan(5_000);
    await manager.close();
  });
});

describe("an agent that is held by another process", () => {
  it("is refused, with the holder's name; reading goes on, and other agents are free", async () => {
    const directory = join(await temporaryDirectory(), "store");
    const child = await startAgent(["hold", directory]);
    await child.line("HELD");
    const { manager } = reopen(directory);
    for (const write of [() => manager.recover(), () => manager.createCheckpoint()]) {
      const error = await errorOf(write());
      expect(error.code).toBe("CKPT_LOCKED");
      expect(error.details.holder).toMatchObject({ pid: child.pid });
      expect(error.hint).toBeTruthy();
    }
    expect(await manager.getAll()).toEqual([]);
    const other = reopen(directory, "agent-2");
    expect((await other.manager.createCheckpoint()).durability).toBe("durable");
    await other.manager.close();
    await child.kill();
    await manager.recover();
    await manager.close();
  });
});
