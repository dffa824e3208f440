import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type CheckpointStore, snapshot } from "@ckpt/core";
import { DiskStore } from "@ckpt/disk";
import { isCkptError } from "@ckpt/errors";
import { type PlacesStore, withFallback, withMirror } from "@ckpt/resilient";
import { Expected } from "../process/expected.js";
import { failingCalls } from "../process/failing-calls.js";
import { seeded } from "../process/random.js";
import { outcome, type Scenario } from "../scenario.js";

const RUNS = 200;
/** Each life ends by closing the stores, whatever the weather, and the next one opens them anew. */
const LIVES = 3;
const STEPS = 30;
const AGENTS = ["a", "b"];
/** One call in so many fails: none, some, all. */
const WEATHERS = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, 40, 1];
const PROBES = { minProbeDelayMs: 3, maxProbeDelayMs: 20 };
/** How often it is tried to bring a place back that is well again. */
const TRIES = 50;

/** Two places, in a mirror or one as the other's fallback, of which each fails and returns at random. */
class Pair {
  readonly every: number[] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  readonly directories: readonly string[];
  readonly #random: () => number;
  readonly #isMirror: boolean;

  constructor(directory: string, random: () => number, isMirror: boolean) {
    this.directories = ["one", "two"].map((name) => join(directory, name));
    this.#random = random;
    this.#isMirror = isMirror;
  }

  open(): PlacesStore {
    const [a, b] = this.directories.map((directory, i) => {
      const fs = failingCalls(this.#random, () => this.every[i]!);
      return new DiskStore(directory, { fs, autoCompact: false, segmentBytes: 65_536 });
    });
    return this.#isMirror ? withMirror(a!, b!, PROBES) : withFallback(a!, b!, PROBES);
  }

  /** Directories that hold everything once all is well. */
  get complete(): readonly string[] {
    return this.#isMirror ? this.directories : this.directories.slice(0, 1);
  }
}

/** One save; what it may have left, where it rejects, is on record. */
async function save(store: PlacesStore, expected: Expected, step: number, words: number): Promise<void> {
  const { agentId } = expected;
  const id = `${agentId}:${step}`;
  const value = { step, text: `${agentId} ${step} `.repeat(words) };
  const facts = { id, agentId, sequence: step, name: "step", timestamp: new Date().toISOString() };
  const header = { ...facts, parentId: expected.kept.at(-1) ?? null, metadata: {}, schemaVersion: null };
  expected.put(id, value, "perhaps");
  await store.commit([{ op: "put", header, snapshot: snapshot(value) }]);
  expected.put(id, value, "done");
}

/** What one agent does; returns what came to light. */
async function live(
  store: PlacesStore,
  expected: Expected,
  random: () => number,
  change: () => void,
  first: number,
): Promise<string[]> {
  const { agentId } = expected;
  const breaches: string[] = [];
  const rejected = (what: string) => (error: unknown) => {
    if (!isCkptError(error)) breaches.push(`${what} failed with ${String(error)}`);
    return "perhaps" as const;
  };
  for (let step = first; step < first + STEPS; step++) {
    const dice = random();
    if (dice < 0.1) change();
    else if (dice < 0.2) await store.reconcile().catch(rejected("reconcile"));
    else if (dice < 0.4) {
      const old = expected.kept.slice(0, -1);
      const id = old[Math.floor(random() * old.length)];
      if (id === undefined) continue;
      // From the moment on in which it is asked for, it may be gone.
      expected.removed(id, "perhaps");
      const removal = store.commit([{ op: "remove", agentId, ids: [id], reason: "not needed" }]);
      expected.removed(id, await removal.then(() => "done" as const, rejected("a removal")));
    } else if (dice < 0.5) {
      await expected.breaches(store).then((found) => breaches.push(...found), rejected("reading"));
    } else await save(store, expected, step, 1 + Math.floor(random() * 200)).catch(rejected("a save"));
    if (random() < 0.2) await sleep(random() * 5);
  }
  return breaches;
}

async function checkAlone(store: CheckpointStore, expectations: readonly Expected[]): Promise<string[]> {
  const found: string[] = [];
  for (const expected of expectations) found.push(...(await expected.breaches(store)));
  await store.close();
  return found;
}

async function acquired(pair: Pair): Promise<PlacesStore> {
  const store = pair.open();
  for (const agentId of AGENTS) await store.acquire(agentId);
  return store;
}

interface Run {
  readonly acknowledged: number;
  readonly breaches: readonly string[];
}

async function run(directory: string, seed: number, isMirror: boolean): Promise<Run> {
  const random = seeded(seed);
  const pair = new Pair(directory, random, isMirror);
  const expectations = AGENTS.map((agentId) => new Expected(agentId));
  const change = () => {
    pair.every[Math.floor(random() * 2)] = WEATHERS[Math.floor(random() * WEATHERS.length)]!;
  };
  const found: string[] = [];
  let store = await acquired(pair);
  for (let i = 0; i < LIVES; i++) {
    if (i > 0) {
      await store.close().catch((error: unknown) => {
        if (!isCkptError(error)) found.push(`closing failed with ${String(error)}`);
      });
      pair.every.fill(Number.POSITIVE_INFINITY);
      store = await acquired(pair);
    }
    const lives = expectations.map((expected) => live(store, expected, random, change, i * STEPS + 1));
    found.push(...(await Promise.all(lives)).flat());
  }
  pair.every.fill(Number.POSITIVE_INFINITY);
  // What a place may have of a save that rejected is outranked by the next one.
  for (const expected of expectations) await save(store, expected, LIVES * STEPS + 1, 1);
  let isWell = false;
  for (let i = 0; i < TRIES && !isWell; i++) {
    isWell = await store.reconcile();
    await sleep(5);
  }
  if (!isWell)
    found.push(`a place that is well again was not brought back: ${JSON.stringify(store.health())}`);
  for (const expected of expectations) found.push(...(await expected.breaches(store)));
  // Where both have failed by turns, each may have gone past something of the other's. That is said, and reads put them together.
  const isSpread = store.takeFindings().some(({ message }) => message.includes("is spread"));
  await store.close();
  for (const place of isWell && !isSpread ? pair.complete : [])
    for (const breach of await checkAlone(new DiskStore(place), expectations))
      found.push(`${breach} (in ${place})`);
  found.push(...(await checkAlone(pair.open(), expectations)));
  return {
    acknowledged: expectations.reduce((sum, { acknowledged }) => sum + acknowledged, 0),
    breaches: found,
  };
}

/** Mirrors and fallbacks whose places fail and return beside saves and removals of two agents. */
export const places: Scenario = {
  name: "places",
  does: "mirrors and fallbacks of two disk stores, each of which fails, fails now and then and is well again at random, beside saves and removals of two agents.",
  proves:
    "nothing acknowledged is lost, nothing removed comes back, and a place that is well again gets what it missed.",
  async run(context) {
    const failures: string[] = [];
    let acknowledged = 0;
    const runs = context.short ? 4 : RUNS;
    for (let i = 0; i < runs && failures.length < 20; i++) {
      const isMirror = i % 2 === 0;
      const kind = isMirror ? "a mirror" : "a fallback";
      context.progress(`run ${i + 1}/${runs}, ${kind}`);
      const seed = context.seed + i;
      const result = await run(await context.directory(), seed, isMirror);
      acknowledged += result.acknowledged;
      failures.push(...result.breaches.slice(0, 5).map((breach) => `seed ${seed}, ${kind}: ${breach}`));
    }
    return outcome({ acknowledged }, failures, {
      notes: [`${runs} runs of ${LIVES} lives with ${STEPS} steps each for ${AGENTS.length} agents`],
    });
  },
};
