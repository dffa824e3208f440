/**
 * What a dead writer left cannot be seen, because its directory was moved away or the device fails. Others remove checkpoints of it, end guards and
 * pins of it, and compact. When it is in sight again, what was taken back stays taken back.
 */
import { FaultyFileSystem } from "@ckpt/conformance/faulty-fs";
import type { StoreEvent } from "@ckpt/core";
import type { FileSystem } from "@ckpt/io";
import { type Instrument, marksOf, type Opened, openOn, put, remove, type Verdict } from "../bench.js";
import { filesBelow, writersFiles } from "./disk-files.js";
import { beforeOpening, deviceError } from "./intercepted.js";

const event = (what: StoreEvent) => ({ op: "event", agentId: "a", event: what }) as const;

interface Hiding {
  readonly what: string;
  hide?(disk: FaultyFileSystem, directory: string): Promise<void>;
  show?(disk: FaultyFileSystem, directory: string): Promise<void>;
  /** The file system as the compactor sees it. */
  seen?(fs: FileSystem, directory: string): FileSystem;
}

const WAYS: readonly Hiding[] = [
  {
    what: "its directory was moved away",
    hide: (disk, directory) => disk.rename(directory, "/away"),
    show: (disk, directory) => disk.rename("/away", directory),
  },
  {
    what: "its segments could not be read, and no head tells of them",
    hide: async (disk) => {
      for (const path of (await filesBelow(disk, "/store/heads")).keys()) await disk.unlink(path);
    },
    seen: (fs, directory) =>
      beforeOpening(fs, (path) => {
        if (path.startsWith(directory) && path.endsWith(".seg")) throw deviceError();
      }),
  },
];

async function factsOf(store: Opened): Promise<Verdict> {
  const marks = await marksOf(store, "a");
  const { openGuards, pinnedIds } = (await store.agent("a")) ?? {};
  if (marks !== "2 3") return `there are ${marks} instead of 2 3`;
  if (openGuards?.length !== 0) return "the guard is open again";
  return pinnedIds?.length === 0 ? undefined : `${pinnedIds?.join()} is pinned again`;
}

export const outOfSight: Instrument = async (bench) => {
  for (const { what, hide, show, seen } of WAYS) {
    const disk = new FaultyFileSystem();
    const live = async (work: (store: Opened) => Promise<unknown>) => {
      const store = await bench.open(disk.process());
      await store.acquire("a");
      await work(store);
      await store.close();
    };
    await live((store) =>
      store.commit([
        put("a", 1),
        put("a", 2),
        event({ kind: "guard-begun", guardId: "g", operation: "migrate", checkpointId: "a:2" }),
        event({ kind: "pinned", checkpointId: "a:2" }),
      ]),
    );
    const directory = (await writersFiles(disk, ".seg"))[0]!.replace(/\/[^/]*$/, "");
    await live((store) =>
      store.commit([
        remove("a", "a:1"),
        event({ kind: "guard-done", guardId: "g", outcome: "completed" }),
        event({ kind: "unpinned", checkpointId: "a:2" }),
        put("a", 3),
      ]),
    );
    await hide?.(disk, directory);
    const fs = disk.process();
    const compactor = await openOn(bench, seen?.(fs, directory) ?? fs);
    await compactor.compact();
    await compactor.close();
    await show?.(disk, directory);
    // In sight again, also for a compaction of everything.
    for (const isCompacted of [false, true]) {
      const store = await bench.open(disk.process());
      if (isCompacted) await store.compact();
      const verdict = await factsOf(store);
      await store.close();
      if (verdict !== undefined) return `${what}: ${verdict}`;
    }
  }
  return undefined;
};
