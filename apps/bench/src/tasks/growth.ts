import { join } from "node:path";
import { ResilientCheckpointManager } from "@ckpt/resilient";
import { percentile } from "../measure.js";
import { type AgentState, Generator } from "../states.js";
import { timedSaves } from "../timed-saves.js";

interface GrowthArgument {
  readonly directory: string;
  readonly seed: number;
  /** Saves before the clock starts: code is compiled, and the first ones of a segment hold whole states. */
  readonly warmUp: number;
  readonly saves: number;
}

/** A fresh process goes on with the history of `agent-0`: the median time of a save. */
export async function saveOn({ directory, seed, warmUp, saves }: GrowthArgument) {
  const generator = new Generator(seed);
  const state = generator.state(2048, 600);
  const manager = new ResilientCheckpointManager<AgentState>("agent-0", {
    directory: join(directory, "store"),
    retention: false,
  });
  await timedSaves(manager, state, generator, warmUp);
  const times = await timedSaves(manager, state, generator, saves);
  await manager.close();
  return { ms: percentile(times, 0.5) };
}
