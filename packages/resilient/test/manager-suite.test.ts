// A drop-in replacement passes the plain manager's suite unchanged.
import { describeManager } from "@ckpt/conformance";
import { type ManagerOptions, MemoryStore } from "@ckpt/core";
import { ResilientCheckpointManager, withFallback, withMirror } from "@ckpt/resilient";

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
