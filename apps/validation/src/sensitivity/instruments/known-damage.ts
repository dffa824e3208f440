/** A writer learns that what it has written is damaged: what it saves from then on is built on nothing that is lost, and what is put again is written again. */
import { FaultyFileSystem } from "@ckpt/conformance/faulty-fs";
import { type Snapshot, snapshot } from "@ckpt/core";
import { type Bench, type Instrument, type Opened, type Put, put } from "../bench.js";
import { flipAt, writersFiles } from "./disk-files.js";

/** States that share nearly everything, so that each is a delta on the one before. */
function entries(): Put[] {
  let previous: Snapshot | undefined;
  return Array.from({ length: 12 }, (_, i) => {
    const { op, header } = put("a", i + 1, 1001 + i);
    const state = { text: "q".repeat(3_000), sequence: i + 1 };
    previous = snapshot(state, previous === undefined ? {} : { previous });
    return { op, header, snapshot: previous };
  });
}

const fails = (work: Promise<unknown>) =>
  work.then(
    () => false,
    () => true,
  );

type Learns = (store: Opened) => Promise<void>;

const byLoading: Learns = async (store) => {
  if (!(await fails(store.load("a", "a:4")))) throw new Error("damage was read as if it were whole");
};

const byVerifying: Learns = async (store) => {
  for await (const { kind } of store.verify()) if (kind === "damaged") return;
  throw new Error("damage was not found");
};

/** Saves five times, damages the fourth, and saves again. Resolves to the sequences that cannot be restored. */
async function lostAfter(bench: Bench, learns: Learns, again: readonly number[]): Promise<string> {
  const disk = new FaultyFileSystem();
  const store = await bench.open(disk.process());
  await store.acquire("a");
  const all = entries();
  for (const entry of all.slice(0, 5)) await store.commit([entry]);
  for (const path of await writersFiles(disk, ".seg")) await flipAt(disk, path, "1004");
  await learns(store);
  for (const n of again) await store.commit([all[n - 1]!]);
  for (const entry of all.slice(5)) await store.commit([entry]);
  await store.close();
  const reader = await bench.open(disk.process());
  const lost: number[] = [];
  for (const { header } of all) if (await fails(reader.load("a", header.id))) lost.push(header.sequence);
  await reader.close();
  return lost.join(" ");
}

export const knownDamage: Instrument = async (bench) => {
  for (const [how, learns] of [
    ["loading", byLoading],
    ["verifying", byVerifying],
  ] as const) {
    const lost = await lostAfter(bench, learns, []);
    if (lost !== "4 5") return `after ${how}, ${lost} are lost instead of 4 5`;
  }
  const lost = await lostAfter(bench, byLoading, [4]);
  return lost === "5" ? undefined : `after 4 was put again, ${lost} are lost instead of 5`;
};
