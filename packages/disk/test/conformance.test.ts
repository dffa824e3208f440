import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describeStore, FaultyFileSystem } from "@ckpt/conformance";
import type { CheckpointStore } from "@ckpt/core";
import { DiskStore, type DiskStoreOptions } from "@ckpt/disk";

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
    cleanup: async () => {
      for (const directory of directories.splice(0)) await rm(directory, { recursive: true, force: true });
    },
  });
}

describeOnDisk("DiskStore", {});
describeOnDisk("DiskStore with small segments and short chains", { segmentBytes: 16_384, maxChainDeltas: 5 });

const disks = new WeakMap<CheckpointStore, FaultyFileSystem>();
const openOn = (fs: FaultyFileSystem) => {
  const store = new DiskStore("/store", { fs, reserveBytes: 16_384, segmentBytes: 65_536 });
  disks.set(store, fs);
  return store;
};

describeStore("DiskStore, with a power cut at every reopening", {
  open: () => openOn(new FaultyFileSystem()),
  reopen: (former) => openOn(disks.get(former)!.powerCut({ mode: "strict" })),
  openBeside: (other) => openOn(disks.get(other)!.process()),
});
