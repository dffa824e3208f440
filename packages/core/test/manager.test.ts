import { CheckpointManager } from "@ckpt/core";
import { describeManager } from "./manager-suite/index.js";

describeManager("CheckpointManager in memory", {
  create: async (options) => new CheckpointManager(options),
  thins: true,
});
