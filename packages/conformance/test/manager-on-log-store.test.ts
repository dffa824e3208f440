import { describeManager, FaultyFileSystem } from "@ckpt/conformance";
import { CheckpointManager, type ManagerOptions } from "@ckpt/core";
import { LogStore } from "./log-store.js";

const disks = new WeakMap<CheckpointManager<never>, FaultyFileSystem>();

async function on<State>(fs: FaultyFileSystem, options: ManagerOptions<State>) {
  const store = options.store ?? (await LogStore.open(fs, "/log"));
  const manager = new CheckpointManager<State>({ ...options, store });
  disks.set(manager as unknown as CheckpointManager<never>, fs);
  return manager;
}

describeManager("CheckpointManager on a durable store, with a power cut at every reopening", {
  create: (options = {}) => on(new FaultyFileSystem(), options),
  reopen: (former, options) => {
    const fs = disks.get(former as unknown as CheckpointManager<never>)!;
    return on(fs.powerCut({ mode: "strict" }), options);
  },
  thins: true,
});
