import { join } from "node:path";
import { ResilientCheckpointManager } from "@ckpt/resilient";
import type { Contestant } from "../contestant.js";

/** Our manager with otherwise default options and every checkpoint kept: one manager per agent, one store. */
export const ours: Contestant = {
  name: "@ckpt/resilient",
  durability: "power cut",
  kind: "ours",
  async open(directory) {
    const managers = new Map<string, ResilientCheckpointManager>();
    const manager = (agent: string) => {
      let found = managers.get(agent);
      if (!found) {
        found = new ResilientCheckpointManager(agent, {
          directory: join(directory, "store"),
          retention: false,
        });
        managers.set(agent, found);
      }
      return found;
    };
    return {
      async save(agent, state) {
        const saved = await manager(agent).create("routine", state);
        if (saved.durability !== "durable") throw new Error(`save was ${saved.durability}`);
      },
      async latest(agent) {
        return (await manager(agent).getLatest())?.data();
      },
      async close() {
        for (const each of managers.values()) await each.close();
      },
    };
  },
};
