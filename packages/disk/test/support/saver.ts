/**
 * A program for tests: saves in several agents at once until it is killed, or holds them. One line per step:
 * `HELD agent epoch`, `TRY agent sequence hash`, `ACK agent sequence`, `ERR code`.
 */
import { writeSync } from "node:fs";
import { type Snapshot, snapshot } from "@ckpt/core";
import { DiskStore } from "@ckpt/disk";

const say = (line: string) => writeSync(1, `${line}\n`);
const [mode, directory, ...agents] = process.argv.slice(2) as [string, string, ...string[]];
const store = new DiskStore(directory, { segmentBytes: 256 * 1024 });

async function saveForEver(agentId: string): Promise<void> {
  const state = await store.agent(agentId);
  let sequence = state?.lastSequence ?? 0;
  let previous: Snapshot | undefined;
  let parentId = state?.headId ?? null;
  const log: string[] = [];
  for (;;) {
    sequence++;
    log.push(`step ${sequence} of ${agentId} ${"x".repeat((sequence * 37) % 900)}`);
    if (log.length > 40) log.shift();
    const state = snapshot({ agentId, sequence, log }, previous === undefined ? {} : { previous });
    const id = `${agentId}:${sequence}`;
    const timestamp = new Date().toISOString();
    const header = {
      id,
      agentId,
      sequence,
      name: "routine",
      timestamp,
      parentId,
      metadata: { pid: process.pid },
      schemaVersion: null,
    };
    say(`TRY ${agentId} ${sequence} ${state.hash}`);
    await store.commit([{ op: "put", header, snapshot: state }]);
    say(`ACK ${agentId} ${sequence}`);
    previous = state;
    parentId = id;
    if (sequence % 5 === 0 && sequence > 20) {
      await store.commit([{ op: "remove", agentId, ids: [`${agentId}:${sequence - 20}`], reason: "test" }]);
    }
  }
}

async function main(): Promise<void> {
  for (const agentId of agents) say(`HELD ${agentId} ${(await store.acquire(agentId)).epoch}`);
  if (mode === "save") await Promise.all(agents.map(saveForEver));
  else setInterval(() => {}, 1000);
}

main().catch((error: { code?: string; message?: string }) => {
  say(`ERR ${error.code} ${error.message}`);
  process.exit(1);
});
