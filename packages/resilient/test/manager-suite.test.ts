import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describeManager } from "@ckpt/conformance";
import { type ManagerOptions, MemoryStore } from "@ckpt/core";
import { ResilientCheckpointManager, withFallback, withMirror } from "@ckpt/resilient";

// A drop-in replacement passes the behaviour suite of every manager.
const create =
  (store: () => ManagerOptions["store"]) =>
  async <State>({ sessionId = "agent-1", ...options }: ManagerOptions<State> = {}) =>
    new ResilientCheckpointManager<State>(sessionId, { retention: false, store: store(), ...options });

describeManager("ResilientCheckpointManager in memory", {
  create: create(() => new MemoryStore()),
  thins: false,
});

describeManager("ResilientCheckpointManager over several places", {
  create: create(() => withFallback(withMirror(new MemoryStore(), new MemoryStore()), new MemoryStore())),
  thins: false,
});

const directories = new Map<object, string>();
/** Where a manager was refused, too. */
const made: string[] = [];
const fresh = async () => {
  const directory = await mkdtemp(join(tmpdir(), "ckpt-manager-"));
  made.push(directory);
  return directory;
};
const open = <State>(directory: string, { sessionId = "agent-1", ...options }: ManagerOptions<State>) => {
  // A test may bring a store of its own.
  const place = options.store === undefined ? { directory } : {};
  const manager = new ResilientCheckpointManager<State>(sessionId, {
    retention: false,
    ...place,
    ...options,
  });
  directories.set(manager, directory);
  return manager;
};

describeManager("ResilientCheckpointManager on the embedded disk store", {
  create: async (options = {}) => open(await fresh(), options),
  reopen: async (former, options) => open(directories.get(former)!, options),
  thins: false,
  cleanup: async () => {
    for (const directory of made.splice(0)) await rm(directory, { recursive: true, force: true });
    directories.clear();
  },
});
