import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describeManager, describeStore, FaultyFileSystem } from "@ckpt/conformance";
import { CheckpointManager, type CheckpointStore, type ManagerOptions } from "@ckpt/core";
import { DiskStore, type DiskStoreOptions } from "@ckpt/disk";
import { FRAME_HEADER_BYTES, nodeFileSystem } from "@ckpt/io";
import { parseSegmentFile } from "../src/layout.js";
import { SegmentScan } from "../src/segment-scan.js";

/** Flips a bit of the state of one checkpoint, in each segment that holds it. */
async function damage(directory: string, { agentId, id }: { agentId: string; id: string }): Promise<void> {
  for (const writer of await readdir(join(directory, "writers"))) {
    for (const name of await readdir(join(directory, "writers", writer))) {
      const file = parseSegmentFile(name);
      if (file?.kind !== "seg") continue;
      const path = join(directory, "writers", writer, name);
      const scan = new SegmentScan({ writerId: writer, number: file.number });
      const handle = await nodeFileSystem.open(path, { access: "read" });
      await scan.advance(handle);
      await handle.close();
      const bytes = await readFile(path);
      for (const entry of scan.agents.get(agentId) ?? []) {
        if (entry.kind !== "put" || entry.header.id !== id) continue;
        const at =
          entry.offset + FRAME_HEADER_BYTES + entry.sectionOffset + Math.floor(entry.sectionBytes / 2);
        bytes[at] = bytes[at]! ^ 0x10;
      }
      await writeFile(path, bytes);
    }
  }
}

/** The suite, on the real file system: each store in a directory of its own. */
function describeOnDisk(name: string, options: DiskStoreOptions): void {
  const directories: string[] = [];
  const placeOf = new WeakMap<CheckpointStore, string>();
  const openIn = (directory: string) => {
    const store = new DiskStore(directory, options);
    placeOf.set(store, directory);
    return store;
  };
  describeStore(name, {
    open: async () => {
      const directory = await mkdtemp(join(tmpdir(), "ckpt-conformance-"));
      directories.push(directory);
      return openIn(join(directory, "store"));
    },
    reopen: (former) => openIn(placeOf.get(former)!),
    damage: (former, checkpoint) => damage(placeOf.get(former)!, checkpoint),
    cleanup: async () => {
      for (const directory of directories.splice(0)) await rm(directory, { recursive: true, force: true });
    },
  });
}

describeOnDisk("DiskStore", {});
describeOnDisk("DiskStore with small segments and short chains", { segmentBytes: 16_384, maxChainDeltas: 5 });
describeOnDisk("DiskStore with blocking writes", { blockingWrites: true });

const disks = new WeakMap<object, FaultyFileSystem>();
const small = { reserveBytes: 16_384, segmentBytes: 65_536 };
const openOn = (fs: FaultyFileSystem) => {
  const store = new DiskStore("/store", { fs, ...small });
  disks.set(store, fs);
  return store;
};

describeStore("DiskStore, with a power cut at every reopening and other processes beside it", {
  open: () => openOn(new FaultyFileSystem()),
  reopen: (former) => openOn(disks.get(former)!.powerCut({ mode: "strict" })),
  openBeside: (other) => openOn(disks.get(other)!.process()),
});

const managerOn = <State>(fs: FaultyFileSystem, options: ManagerOptions<State>) => {
  const manager = new CheckpointManager<State>({
    store: new DiskStore("/store", { fs, ...small }),
    ...options,
  });
  disks.set(manager, fs);
  return manager;
};

describeManager("CheckpointManager on a DiskStore, with a power cut at every reopening", {
  create: async (options = {}) => managerOn(new FaultyFileSystem(), options),
  reopen: async (former, options) => managerOn(disks.get(former)!.powerCut({ mode: "strict" }), options),
  thins: true,
});
