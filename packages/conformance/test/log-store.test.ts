import { describeStore, FaultyFileSystem } from "@ckpt/conformance";
import type { CheckpointStore } from "@ckpt/core";
import { LogStore } from "./log-store.js";

const disks = new WeakMap<CheckpointStore, FaultyFileSystem>();

async function openOn(fs: FaultyFileSystem): Promise<CheckpointStore> {
  const store = await LogStore.open(fs, "/log");
  disks.set(store, fs);
  return store;
}

describeStore("the log store of these tests", {
  open: () => openOn(new FaultyFileSystem()),
  // Every reopening goes through a power cut.
  reopen: (former) => openOn(disks.get(former)!.powerCut({ mode: "strict" })),
});
