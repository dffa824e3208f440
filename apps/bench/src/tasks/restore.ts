import { createHash } from "node:crypto";
import { open, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ResilientCheckpointManager } from "@ckpt/resilient";
import { ours } from "../contestants/ours.js";
import { elapsedMs } from "../measure.js";
import { peakBytes as processPeakBytes } from "../peak-memory.js";
import { type AgentState, Generator, take, turnOf } from "../states.js";

interface HistoryArgument {
  readonly directory: string;
  readonly seed: number;
  readonly turns: number;
}

const sha = (state: unknown) => createHash("sha256").update(JSON.stringify(state)).digest("hex");
const everyFile = (directory: string, i: number) => join(directory, `${i}.json`);

/** Writes the history with our manager, and beside it the JSON of the states that will be asked for. */
export async function writeHistory({ directory, seed, turns }: HistoryArgument) {
  const generator = new Generator(seed);
  const state = generator.state(400);
  const store = await ours.open(directory);
  const hashes: string[] = [];
  for (let i = 0; i < turns; i += 1) {
    take(state, turnOf(generator, 2000));
    await store.save("agent-3", state, i);
    hashes.push(sha(state));
    if (i % 97 === 3 || i === turns - 1) await writeFile(everyFile(directory, i), JSON.stringify(state));
  }
  await store.close();
  return { hashes };
}

interface RestoreArgument {
  readonly directory: string;
  /** Index of the turn to restore. */
  readonly index: number;
  readonly sha: string;
  /** Restores once without the clock, so that both sides are measured with compiled code. */
  readonly warm: boolean;
}

/** A fresh process that has saved nothing: opens, restores one checkpoint, and compares it. */
export async function restoreOurs({ directory, index, sha: expected, warm }: RestoreArgument) {
  const once = async () => {
    const manager = new ResilientCheckpointManager<AgentState>("agent-3", {
      directory: join(directory, "store"),
      retention: false,
    });
    const all = await manager.getAll();
    const checkpoint = all[index];
    if (!checkpoint) throw new Error(`no checkpoint at ${index}`);
    let state: AgentState | undefined;
    const ms = await elapsedMs(async () => (state = await checkpoint.data()));
    if (sha(state) !== expected) throw new Error(`restored another state at ${index}`);
    await manager.close();
    return ms;
  };
  if (warm) for (let i = 0; i < 4; i += 1) await once();
  return { ms: await once() };
}

/** The yardstick: one sized read and JSON.parse of the same state. */
export async function restoreJson({ directory, index, sha: expected, warm }: RestoreArgument) {
  const once = async () => {
    let state: unknown;
    const ms = await elapsedMs(async () => {
      const handle = await open(everyFile(directory, index), "r");
      const { size } = await handle.stat();
      const bytes = Buffer.allocUnsafe(size);
      await handle.read(bytes, 0, size, 0);
      await handle.close();
      state = JSON.parse(bytes.toString());
    });
    if (sha(state) !== expected) throw new Error("read another state");
    return ms;
  };
  if (warm) for (let i = 0; i < 4; i += 1) await once();
  return { ms: await once() };
}

const SAMPLE_EVERY = 50;

/** What is in use once everything that can be freed has been: heap, and buffers outside it. */
function usedBytes(): number {
  global.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** The most memory in use during growing saves, less what the live state alone takes, sampled every 50 turns. */
export async function peakOfTurns({ directory, seed, turns }: HistoryArgument) {
  const alone = usedBytes();
  let generator = new Generator(seed);
  let state = generator.state(400);
  for (let i = 0; i < turns; i += 1) take(state, turnOf(generator, 2000));
  const liveBytes = usedBytes() - alone;
  const stateBytes = Buffer.byteLength(JSON.stringify(state));

  generator = new Generator(seed);
  state = generator.state(400);
  const store = await ours.open(directory);
  await store.save("agent-3", state, 0);
  const before = usedBytes();
  let peakBytes = 0;
  for (let i = 1; i <= turns; i += 1) {
    take(state, turnOf(generator, 2000));
    await store.save("agent-3", state, i);
    // The live state grows evenly, so its share at a turn is known.
    if (i % SAMPLE_EVERY === 0)
      peakBytes = Math.max(peakBytes, usedBytes() - before - (liveBytes * i) / turns);
  }
  await store.close();
  return { peakBytes, liveBytes, stateBytes, maxRss: processPeakBytes() };
}
