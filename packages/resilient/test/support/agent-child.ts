/** An agent in a process of its own, for tests that kill it. Speaks lines; arguments: what to do, directory, agent id. */
import { ResilientCheckpointManager } from "@ckpt/resilient";

interface State {
  n: number;
  log: string[];
}

const [what = "run", directory = ".ckpt", agentId = "agent-1", limit = "1000000"] = process.argv.slice(2);
const say = (...words: unknown[]): boolean => process.stdout.write(`${words.join(" ")}\n`);

const agent: { state: State } = { state: { n: 0, log: [] } };
const manager = new ResilientCheckpointManager<State>(agentId, {
  directory,
  collect: () => agent.state,
  apply: (state) => {
    agent.state = state;
  },
});

async function save(): Promise<void> {
  agent.state.n++;
  agent.state.log.push(`step ${agent.state.n}`);
  if (agent.state.log.length > 50) agent.state.log.shift();
  say("TRY", agent.state.n);
  const { durability } = await manager.createCheckpoint();
  say(durability === "durable" ? "ACK" : "DEGRADED", agent.state.n);
}

const forever = (): Promise<never> =>
  new Promise(() => {
    setInterval(() => {}, 1_000);
  });

const jobs: Record<string, () => Promise<unknown>> = {
  async run() {
    const report = await manager.recover();
    say("RECOVERED", report.checkpoint === null ? 0 : agent.state.n);
    for (let i = 0; i < Number(limit); i++) await save();
    await manager.close();
  },
  async rollback() {
    await manager.recover();
    for (let i = 0; i < 5; i++) await save();
    const [, second] = await manager.getAll();
    await manager.restoreCheckpoint(second!);
    say("RESTORED", agent.state.n);
    await forever();
  },
  async guarded() {
    await manager.recover();
    await save();
    await manager.guard("drop-table", async () => {
      agent.state.n = 999;
      await manager.createCheckpoint();
      say("IN-GUARD");
      await forever();
    });
  },
  async hold() {
    await manager.recover();
    say("HELD", process.pid);
    await forever();
  },
  async degraded() {
    await manager.createCheckpoint();
  },
};

jobs[what]!().catch((error: { code?: string; hint?: string; message: string }) => {
  say("ERR", JSON.stringify({ code: error.code, hint: error.hint, message: error.message }));
});
