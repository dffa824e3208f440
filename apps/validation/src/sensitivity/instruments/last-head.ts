/** Where the head is, also when compaction or repair takes away what said so. */
import { FaultyFileSystem } from "@ckpt/conformance/faulty-fs";
import { type Instrument, put, remove } from "../bench.js";
import { flipAt, writersFiles } from "./disk-files.js";

/** A living writer has removed the head that a dead one saved; another process compacts the dead one. */
const removedHead: Instrument = async (bench) => {
  const disk = new FaultyFileSystem();
  const first = await bench.open(disk.process());
  await first.acquire("a");
  for (const n of [1, 2]) await first.commit([put("a", n)]);
  await first.close();
  const holder = await bench.open(disk.process());
  await holder.acquire("a");
  await holder.commit([remove("a", "a:2")]);
  const other = await bench.open(disk.process());
  await other.compact();
  const reader = await bench.open(disk.process());
  const headId = (await reader.agent("a"))?.headId;
  for (const store of [holder, other, reader]) await store.close();
  return headId === null ? undefined : `the head was removed, and is ${headId} after a compaction`;
};

/** What was saved after a rollback is damaged, and repaired: the head is where the rollback had put it. */
const rolledBack: Instrument = async (bench) => {
  const disk = new FaultyFileSystem();
  const store = await bench.open(disk.process());
  await store.acquire("a");
  for (let n = 1; n <= 4; n++) await store.commit([put("a", n)]);
  const event = { kind: "head", checkpointId: "a:2", reason: "rollback" } as const;
  await store.commit([{ op: "event", agentId: "a", event }]);
  await store.commit([put("a", 5)]);
  await store.close();
  for (const path of await writersFiles(disk, ".seg")) await flipAt(disk, path, "turn 5");
  const repairing = await bench.open(disk.process());
  await repairing.repair();
  const headId = (await repairing.agent("a"))?.headId;
  await repairing.close();
  return headId === "a:2" ? undefined : `the head is ${headId} instead of a:2`;
};

export const lastHead: Instrument = async (bench) => (await removedHead(bench)) ?? (await rolledBack(bench));
