import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { ResilientCheckpointManager } from "@ckpt/resilient";
import { type AgentState, Generator } from "../states.js";

interface BlockArgument {
  readonly directory: string;
  readonly seed: number;
  readonly saves: number;
}

/** The longest time that nothing else could run while a 2 MB state was saved: gaps between turns of the event loop. */
export async function longestBlock({ directory, seed, saves }: BlockArgument) {
  const generator = new Generator(seed);
  const state = generator.state(2_000_000, 1000);
  const manager = new ResilientCheckpointManager<AgentState>("agent-3", {
    directory: join(directory, "store"),
    retention: false,
  });
  let last = performance.now();
  let longest = 0;
  let watching = true;
  const watch = () => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
    if (watching) setImmediate(watch);
  };
  setImmediate(watch);
  const started = performance.now();
  await manager.create("routine", state);
  const first = { longestMs: longest, totalMs: performance.now() - started };
  const save = async (turn: number) => {
    state.step = turn;
    state.messages[(turn * 37) % state.messages.length] = generator.message(1000);
    await manager.create("routine", state);
  };
  for (let i = 0; i < 20; i += 1) await save(i);
  longest = 0;
  last = performance.now();
  for (let i = 20; i < 20 + saves; i += 1) await save(i);
  const steady = longest;
  watching = false;
  await manager.close();
  return { first, steady };
}
