import { createInterface } from "node:readline";
import type { CheckpointHeader, CheckpointStore } from "@ckpt/core";
import { DiskStore } from "@ckpt/disk";
import { codeOf, say } from "./output.js";
import { type DriverState, shaOf } from "./states.js";

type Answer = { i: number; sha: string } | { error: string };

/** The number that a save wrote into its metadata; -1 for the checkpoints that guards, restores and forks made. */
const numberOf = (header: CheckpointHeader): number =>
  typeof header.metadata.i === "number" ? header.metadata.i : -1;

/** How often an agent is listed again because what was listed had been removed when it was read: its writer has saved newer ones since. */
const LISTINGS = 20;

/** The restorable checkpoint with the highest number inside its state. */
async function highest(store: CheckpointStore, agentId: string): Promise<Answer> {
  for (let listing = 1; ; listing++) {
    const found = await highestListed(store, agentId, listing < LISTINGS);
    if (found !== undefined) return found;
  }
}

/** Undefined when one of the list was gone and `mayRepeat`. */
async function highestListed(
  store: CheckpointStore,
  agentId: string,
  mayRepeat: boolean,
): Promise<Answer | undefined> {
  // A safety checkpoint holds what an operation had left half done: no save that was ever announced.
  const headers = (await store.list(agentId)).filter(({ name }) => name !== "safety");
  let best: { i: number; sha: string } | undefined;
  let bestSequence = 0;
  let error = "CKPT_NOT_FOUND";
  for (const header of headers.sort((a, b) => numberOf(b) - numberOf(a) || b.sequence - a.sequence)) {
    // Numbers only rise: what a guard, a restore or a fork made before the best one repeats a number that is not higher.
    if (best !== undefined && (numberOf(header) !== -1 || header.sequence < bestSequence)) continue;
    try {
      const state = (await store.load(agentId, header.id)).toValue<DriverState>();
      if (best === undefined || state.i > best.i) {
        best = { i: state.i, sha: shaOf(state) };
        bestSequence = header.sequence;
      }
    } catch (cause) {
      error = codeOf(cause);
      if (error === "CKPT_NOT_FOUND" && mayRepeat) return undefined;
      console.error(`serve: ${header.id} could not be restored: ${error} ${String(cause)}`);
    }
  }
  return best ?? { error };
}

async function answer(directory: string): Promise<string> {
  const store = new DiskStore(directory);
  try {
    const answers: [string, Answer][] = [];
    for (const agentId of await store.agents()) answers.push([agentId, await highest(store, agentId)]);
    // An agent of a segment that cannot be read is in no answer: that is told as well.
    for (const { kind, message } of store.takeFindings())
      if (kind === "damaged" || kind === "missing") console.error(`serve: ${message}`);
    return JSON.stringify(Object.fromEntries(answers));
  } catch (error) {
    return JSON.stringify({
      "!": `${codeOf(error)}: ${error instanceof Error ? error.message : String(error)}`,
    });
  } finally {
    await store.close();
  }
}

/** Answers one directory per line, each from a store that is opened anew and closed before the next. Takes no lease. */
export async function serve(): Promise<void> {
  for await (const line of createInterface({ input: process.stdin })) {
    if (line.trim() === "") continue;
    say(
      await answer(line).catch((error: unknown) =>
        JSON.stringify({
          "!": `${codeOf(error)}: ${error instanceof Error ? error.message : String(error)}`,
        }),
      ),
    );
  }
}
