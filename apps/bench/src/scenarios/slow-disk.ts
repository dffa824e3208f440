import { slowSync } from "@ckpt/conformance/faulty-fs";
import { CheckpointManager } from "@ckpt/core";
import { DiskStore } from "@ckpt/disk";
import { nodeFileSystem } from "@ckpt/io";
import { elapsedMs } from "../measure.js";
import type { Scenario } from "../scenario.js";
import { Generator } from "../states.js";

/** 2 ms added to every sync, in the file-system interface below our store: what an ordinary disk does to a save. */
export const slowDisk: Scenario = {
  name: "slow-disk",
  title: "saves per second with 2 ms added to every sync (ours only, in the file-system interface)",
  async run(run) {
    const rows = [];
    for (const agents of [1, 64, 256]) {
      run.progress(`slow-disk: ${agents} agents`);
      const store = new DiskStore(await run.directory(), { fs: slowSync(nodeFileSystem, 2) });
      const per = Math.max(20, Math.floor((run.quick ? 1000 : 5000) / agents));
      const lanes = await Promise.all(
        Array.from({ length: agents }, async (_, i) => {
          const manager = new CheckpointManager({
            sessionId: `agent-${i}`,
            store,
            maxCheckpoints: 1e9,
            compressAfter: 1e9,
          });
          const generator = new Generator(i);
          const state = generator.state(2048, 600);
          return async () => {
            for (let n = 0; n < per; n += 1) {
              state.step = n;
              await manager.create("routine", state);
            }
          };
        }),
      );
      const ms = await elapsedMs(() => Promise.all(lanes.map((lane) => lane())));
      const rate = (per * agents) / (ms / 1000);
      rows.push({
        name: `${agents} agents`,
        kind: "ours" as const,
        durability: "power cut",
        median: rate,
        min: rate,
        max: rate,
        oursRatio: null,
      });
      await store.close();
    }
    return {
      name: "slow-disk",
      title: slowDisk.title,
      unit: "saves/s",
      higherIsBetter: true,
      rows,
      bars: [],
      notes: [],
    };
  },
};
