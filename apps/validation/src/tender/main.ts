/** A process that looks after a store all the while: verifies, repairs, compacts and reads, on a file system that fails now and then. */
import { setTimeout as sleep } from "node:timers/promises";
import { DiskStore } from "@ckpt/disk";
import { isCkptError } from "@ckpt/errors";
import { nodeFileSystem } from "@ckpt/io";
import { codeOf, say } from "../driver/output.js";
import { failingCalls } from "../process/failing-calls.js";
import { seeded } from "../process/random.js";

const [directory = "", seed = "1", every = "0"] = process.argv.slice(2);
const isFailing = Number(every) > 0;

/** What one task came to. */
export interface Told {
  readonly task: string;
  /** `ok`, or the error's code. */
  readonly code: string;
  /** Not one of the library's errors: what it was. */
  readonly strange?: string | undefined;
  /** Checkpoints that were called lost. */
  readonly lostIds: readonly string[];
}

async function verify(store: DiskStore): Promise<string[]> {
  const lost: string[] = [];
  for await (const finding of store.verify()) lost.push(...finding.affectedIds);
  // What a failing device does not give is rightly called damaged.
  return isFailing ? [] : lost;
}

async function read(store: DiskStore, random: () => number): Promise<string[]> {
  const agents = await store.agents();
  const agentId = agents[Math.floor(random() * agents.length)];
  const headers = agentId === undefined ? [] : await store.list(agentId);
  const header = headers[Math.floor(random() * headers.length)];
  if (header !== undefined) await store.load(header.agentId, header.id);
  return [];
}

const tasks: Readonly<
  Record<string, (store: DiskStore, random: () => number) => Promise<readonly string[]>>
> = {
  read,
  verify,
  "plan a repair": async (store) => (await store.repair({ dryRun: true })).lostIds,
  repair: async (store) => (await store.repair()).lostIds,
  compact: async (store) => {
    await store.compact();
    return [];
  },
};

async function told(task: string, work: () => Promise<readonly string[]>): Promise<void> {
  const result: Told = await work().then(
    (lostIds) => ({ task, code: "ok", lostIds }),
    (error: unknown) => ({
      task,
      code: codeOf(error),
      lostIds: [],
      strange: isCkptError(error) ? undefined : String(error instanceof Error ? error.stack : error),
    }),
  );
  say(JSON.stringify(result));
}

const random = seeded(Number(seed));
const fs = isFailing ? failingCalls(random, () => Number(every)) : nodeFileSystem;
const names = Object.keys(tasks);
for (;;) {
  const store = new DiskStore(directory, { fs, autoCompact: false });
  for (let count = 1 + Math.floor(random() * 4); count > 0; count--) {
    const name = names[Math.floor(random() * names.length)] ?? "read";
    await told(name, () => tasks[name]!(store, random));
    await sleep(random() * 100);
  }
  await told("close", async () => {
    await store.close();
    return [];
  });
}
