import { describeManager } from "@ckpt/conformance";
import { CheckpointManager } from "@ckpt/core";

describeManager("CheckpointManager in memory", {
  create: async (options) => new CheckpointManager(options),
  thins: true,
});
