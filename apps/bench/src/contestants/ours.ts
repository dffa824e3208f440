import { join } from "node:path";
import { DiskStore } from "@ckpt/disk";
import { ResilientCheckpointManager, type ResilientOptions } from "@ckpt/resilient";
import type { Contestant, OpenContestant } from "../contestant.js";

/** One manager per agent and one store, every checkpoint kept. */
function openOurs(where: Pick<ResilientOptions, "directory" | "store">): OpenContestant {
  const managers = new Map<string, ResilientCheckpointManager>();
  const manager = (agent: string) => {
    let found = managers.get(agent);
    if (!found) {
      found = new ResilientCheckpointManager(agent, { ...where, retention: false });
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
      await where.store?.close();
    },
  };
}

/** Our manager with otherwise default options. */
export const ours: Contestant = {
  name: "@ckpt/resilient",
  durability: "power cut",
  kind: "ours",
  open: async (directory) => openOurs({ directory: join(directory, "store") }),
};

/** The same, writing on the calling thread; for what that is worth, the bars look at the default. */
export const oursBlocking: Contestant = {
  name: "@ckpt/resilient, blockingWrites",
  durability: "power cut",
  kind: "ours",
  open: async (directory) =>
    openOurs({ store: new DiskStore(join(directory, "store"), { blockingWrites: true }) }),
};
