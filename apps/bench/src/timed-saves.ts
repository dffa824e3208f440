import type { ResilientCheckpointManager } from "@ckpt/resilient";
import { elapsedMs } from "./measure.js";
import type { AgentState, Generator } from "./states.js";

/** Saves of a small state of constant size, of which one message changes each time; gives the time of each in ms. */
export async function timedSaves(
  manager: ResilientCheckpointManager<AgentState>,
  state: AgentState,
  generator: Generator,
  count: number,
): Promise<number[]> {
  const times: number[] = [];
  for (let i = 0; i < count; i += 1) {
    state.step += 1;
    state.messages[state.step % state.messages.length] = generator.message(500);
    times.push(await elapsedMs(() => manager.create("routine", state)));
  }
  return times;
}
