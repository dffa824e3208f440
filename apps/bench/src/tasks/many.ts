import { join } from "node:path";
import { ResilientCheckpointManager } from "@ckpt/resilient";
import { elapsedMs } from "../measure.js";
import { type AgentState, Generator } from "../states.js";

interface ManyArgument {
  readonly directory: string;
  readonly agents: number;
  readonly checkpoints: number;
  readonly seed: number;
}

const manager = (directory: string, agent: number) =>
  new ResilientCheckpointManager<AgentState>(`agent-${agent}`, {
    directory: join(directory, "store"),
    retention: false,
  });

/** Fills a store with `checkpoints` saves of 2 KB states, all agents at once. */
export async function fillMany({ directory, agents, checkpoints, seed }: ManyArgument) {
  const managers = Array.from({ length: agents }, (_, i) => manager(directory, i));
  const per = Math.floor(checkpoints / agents);
  await Promise.all(
    managers.map(async (each, i) => {
      const generator = new Generator(seed + i);
      const state = generator.state(2048, 600);
      for (let n = 0; n < per; n += 1) {
        state.step = n;
        state.counters.tokens += 31;
        state.messages[n % state.messages.length] = generator.message(500);
        await each.create("routine", state);
      }
    }),
  );
  for (const each of managers) await each.close();
  return { checkpoints: per * agents };
}

/** A fresh process: open, find and load the latest of one agent; time and memory. */
export async function openMany({ directory }: ManyArgument) {
  global.gc?.();
  const before = process.memoryUsage();
  const target = manager(directory, 7);
  let step = -1;
  const ms = await elapsedMs(async () => {
    step = (await (await target.getLatest())?.data())?.step ?? -1;
  });
  global.gc?.();
  const after = process.memoryUsage();
  await target.close();
  return { ms, step, memoryBytes: after.heapUsed + after.external - before.heapUsed - before.external };
}
