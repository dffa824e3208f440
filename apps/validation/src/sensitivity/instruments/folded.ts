import { FaultyFileSystem } from "@ckpt/conformance/faulty-fs";
import { type Instrument, type Opened, put, remove } from "../bench.js";
import { flipAt, writersFiles } from "./disk-files.js";

/** A removal outlives compactions as long as a damaged segment may hold what it removed: repair must not bring that back. */
export const folded: Instrument = async (bench) => {
  const disk = new FaultyFileSystem();
  const die = async (work: (store: Opened) => Promise<unknown>) => {
    const process = disk.process();
    const store = await bench.open(process);
    await store.acquire("a");
    await work(store);
    process.killProcess();
    await store.close().catch(() => undefined); // the dead write nothing
  };
  await die(async (store) => {
    for (let n = 1; n <= 4; n++) await store.commit([put("a", n)]);
  });
  const first = await writersFiles(disk, ".seg");
  await die((store) => store.commit([remove("a", "a:2"), put("a", 5)]));
  for (const path of first) await flipAt(disk, path, "turn 3");
  await die((store) => store.compact());
  // The process that compacted remembers the removal: only another one reads what was kept of it.
  const store = await bench.open(disk.process());
  await store.acquire("a");
  const compacted = await idsOf(store);
  await store.repair();
  const repaired = await idsOf(store);
  await store.close();
  const back = [compacted, repaired].find((ids) => ids !== "a:1 a:4 a:5");
  return back === undefined ? undefined : `there are ${back}`;
};

const idsOf = async (store: Opened) => (await store.list("a")).map(({ id }) => id).join(" ");
