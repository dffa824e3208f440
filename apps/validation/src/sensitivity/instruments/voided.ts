/**
 * A segment whose end only the header of a later one voids: compaction and repair must not take the later one away and leave the first. The
 * saves that were rejected would be there again, in the place of those that were acknowledged under their sequences.
 */
import { FaultPlan, FaultyFileSystem } from "@ckpt/conformance/faulty-fs";
import type { FileSystem } from "@ckpt/io";
import { type Bench, type Instrument, marksOf, type Opened, openOn, put } from "../bench.js";
import { flipAt, writersFiles } from "./disk-files.js";
import { beforeOpening, deviceError } from "./intercepted.js";

/** The first segment of a dead writer holds one save, and four that were rejected; the second says so, and holds two. */
async function ghosts(bench: Bench) {
  const disk = new FaultyFileSystem();
  const faults = new FaultPlan();
  const store = await bench.open(disk.process(faults));
  await store.acquire("a");
  await store.commit([put("a", 1)]);
  // All of the bytes reach the disk, and each write reports a failure.
  for (let k = 1; k <= 12; k++) faults.failSync({ at: faults.syncs + k, afterDoing: true });
  const rejected = await store.commit([2, 3, 4, 5].map((n) => put("a", n, 200 + n))).then(
    () => false,
    () => true,
  );
  faults.heal();
  for (const n of [2, 3]) await store.commit([put("a", n)]);
  await store.close();
  const segments = await writersFiles(disk, ".seg");
  if (!rejected || segments.length !== 2) throw new Error("nothing was rejected: this tests nothing");
  return { disk, first: segments[0]!, second: segments[1]! };
}

interface Case {
  readonly what: string;
  /** What has become of the files when they are maintained. */
  damage?(disk: FaultyFileSystem, first: string, second: string): Promise<void>;
  /** The file system as the process that maintains sees it. */
  seen?(fs: FileSystem, first: string): FileSystem;
  maintain(store: Opened): Promise<unknown>;
  readonly marks: string;
}

const CASES: readonly Case[] = [
  {
    what: "the second was damaged and repaired",
    damage: (disk, _first, second) => flipAt(disk, second, "turn 3"),
    maintain: (store) => store.repair(),
    marks: "1 2",
  },
  {
    what: "the first was damaged, and the store compacted",
    damage: (disk, first) => flipAt(disk, first, "turn 1"),
    maintain: (store) => store.compact(),
    marks: "2 3",
  },
  {
    what: "the first could not be read while the store was compacted",
    seen: (fs, first) =>
      beforeOpening(fs, (path) => {
        if (path === first) throw deviceError();
      }),
    maintain: (store) => store.compact(),
    marks: "1 2 3",
  },
];

export const voided: Instrument = async (bench) => {
  for (const { what, damage, seen, maintain, marks } of CASES) {
    const { disk, first, second } = await ghosts(bench);
    await damage?.(disk, first, second);
    const fs = disk.process();
    const maintaining = await openOn(bench, seen?.(fs, first) ?? fs);
    await maintain(maintaining);
    await maintaining.close();
    const store = await bench.open(disk.process());
    const there = await marksOf(store, "a");
    await store.close();
    if (there !== marks) return `${what}: ${there} are there instead of ${marks}`;
  }
  return undefined;
};
