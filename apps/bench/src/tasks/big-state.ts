import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ResilientCheckpointManager } from "@ckpt/resilient";
import { peer } from "../contestants/peer-modules.js";
import { elapsedMs } from "../measure.js";
import { peakBytes } from "../peak-memory.js";
import { type AgentState, Generator } from "../states.js";

interface BigArgument {
  readonly directory: string;
  readonly messages: number;
  readonly seed: number;
  /** Whether `write-file-atomic` is there to write the whole state with. */
  readonly isAtomic: boolean;
}

/** 32,000 messages of about 8 KB of text are 256 MB; distinct strings, not one repeated. */
function bigState({ messages, seed }: BigArgument): AgentState {
  const generator = new Generator(seed);
  const state = generator.state(400);
  const paragraphs = Array.from({ length: 64 }, () => generator.text(1900));
  for (let i = 0; i < messages; i += 1) {
    const parts = [0, 1, 2, 3].map(() => paragraphs[Math.floor(generator.next() * paragraphs.length)]);
    // A round trip through bytes makes each text a flat string of its own, as text from a network is.
    const content = Buffer.from(`${generator.hex(40)} ${parts.join("\n")}`, "latin1").toString("latin1");
    state.messages.push({ role: "assistant", id: `m${i}`, content });
  }
  return state;
}

const loaded = () => {
  global.gc?.();
  return process.memoryUsage.rss();
};

export async function bigSaveOurs(argument: BigArgument) {
  const state = bigState(argument);
  const before = loaded();
  const manager = new ResilientCheckpointManager<AgentState>("agent-3", {
    directory: join(argument.directory, "store"),
    retention: false,
  });
  const ms = await elapsedMs(async () => {
    await manager.create("routine", state);
  });
  const result = { ms, before, peak: peakBytes() };
  await manager.close();
  return result;
}

/** With `write-file-atomic` where that is there; else a plain file, so that there is one to restore from. */
export async function bigSaveFile(argument: BigArgument) {
  const state = bigState(argument);
  const before = loaded();
  const write = argument.isAtomic
    ? peer<(path: string, data: string) => Promise<void>>("write-file-atomic")
    : writeFile;
  const ms = await elapsedMs(() => write(join(argument.directory, "state.json"), JSON.stringify(state)));
  return { ms, before, peak: peakBytes() };
}

export async function bigRestoreOurs({ directory, messages }: BigArgument) {
  const before = loaded();
  const manager = new ResilientCheckpointManager<AgentState>("agent-3", {
    directory: join(directory, "store"),
    retention: false,
  });
  let state: AgentState | undefined;
  const ms = await elapsedMs(async () => {
    state = await (await manager.getLatest())?.data();
  });
  const result = { ms, before, peak: peakBytes() };
  if (state === undefined || state.messages.length < messages)
    throw new Error("restored less than was saved");
  await manager.close();
  return { ...result, messages: state?.messages.length };
}

export async function bigRestoreJson({ directory }: BigArgument) {
  const before = loaded();
  let state: AgentState | undefined;
  const path = join(directory, "state.json");
  const ms = await elapsedMs(async () => {
    state = JSON.parse(await readFile(path, "utf8")) as AgentState;
  });
  return { ms, before, peak: peakBytes(), messages: state?.messages.length };
}
