/**
 * A process that opens made-up stores, one per line on stdin, does everything with them that a program does, and prints one JSON line each:
 * what went wrong, and how far its memory has grown.
 */
import { createInterface } from "node:readline";
import { type CheckpointStore, snapshot } from "@ckpt/core";
import { DiskStore } from "@ckpt/disk";
import { onlyTyped, polluted } from "./verdict.js";

export interface ReaderAnswer {
  readonly failure?: string | undefined;
  readonly rssMb: number;
  /** What could be read although it was made up. */
  readonly states: number;
}

async function readAll(store: CheckpointStore): Promise<number> {
  let states = 0;
  for (const agentId of await store.agents()) {
    await store.agent(agentId);
    for (const { id } of await store.list(agentId)) {
      try {
        (await store.load(agentId, id)).toValue();
        states += 1;
      } catch (error) {
        const failure = await onlyTyped(`loading ${id}`, () => Promise.reject(error));
        if (failure !== undefined) throw error;
      }
    }
  }
  return states;
}

async function answer(directory: string): Promise<ReaderAnswer> {
  const store = new DiskStore(directory);
  let failure: string | undefined;
  let states = 0;
  const attempt = async (what: string, call: () => Promise<unknown>) => {
    failure ??= await onlyTyped(what, call);
  };
  await attempt("reading", async () => {
    states = await readAll(store);
  });
  await attempt("verify", async () => {
    for await (const finding of store.verify())
      if (finding.affectedIds.length > 100_000) throw new Error("a finding of unbounded size");
  });
  await attempt("acquire", () => store.acquire("good"));
  await attempt("commit", () =>
    store.commit([
      {
        op: "put",
        header: {
          ...{ id: "good:1", agentId: "good", sequence: 1, name: "routine", parentId: null },
          ...{ timestamp: new Date().toISOString(), metadata: {}, schemaVersion: null },
        },
        snapshot: snapshot({ good: true }),
      },
    ]),
  );
  await attempt("compact", () => store.compact());
  await attempt("repair", () => store.repair());
  await attempt("close", () => store.close());
  failure ??= polluted();
  return { failure, rssMb: Math.round(process.resourceUsage().maxRSS / 1024), states };
}

for await (const line of createInterface({ input: process.stdin }))
  process.stdout.write(`${JSON.stringify(await answer(line))}\n`);
