import type { AgentState } from "@ckpt/core";
import { defaultPolicy } from "@ckpt/retention";
import type { ManagerKit } from "./manager-kit.js";
import type { ResilientOptions } from "./options.js";
import { Pruner } from "./pruner.js";

/** The pruner of a manager: works through its turns, and tells through its events. */
export function prunerBeside<State>(
  kit: Omit<ManagerKit<State>, "pruner">,
  retention: ResilientOptions<State>["retention"],
  alsoKeep: (agent: AgentState | undefined) => readonly string[],
): Pruner {
  const { agentId, logger, events } = kit;
  return new Pruner({
    agentId,
    policy: retention === false ? undefined : (retention ?? defaultPolicy()),
    now: kit.now,
    list: kit.list,
    readAgent: kit.readAgent,
    suspectedSince: () => kit.drift.suspectedSince,
    alsoKeep,
    commitInTurn: async (take) => {
      const { committing } = await kit.queue.inTurn(() => {
        const entries = take();
        if (entries.length === 0) return { committing: undefined };
        return { committing: kit.queue.commitBeside(() => kit.commit(entries)) };
      });
      return committing;
    },
    pruned: (ids, decisions) => {
      logger.debug("retention removed checkpoints", { agentId, ids });
      events.emit("pruned", { ids, reason: "retention policy", decisions });
    },
    suspended: ({ suspended }) => {
      if (suspended === null) return;
      logger.warn(suspended.message, { agentId });
      events.emit("pruningSuspended", suspended);
    },
    report: kit.report,
  });
}
