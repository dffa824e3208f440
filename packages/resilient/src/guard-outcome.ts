import type { StoreEntry } from "@ckpt/core";
import type { ManagerKit } from "./manager-kit.js";
import type { UnfinishedGuard } from "./recovery-report.js";
import { type InnerRestore, type Restored, type RestoreOptions, restore } from "./restore.js";

type Outcome = "completed" | "undone" | "dismissed";

/** The entry that ends a guard. */
function guardDone(agentId: string, guardId: string, outcome: Outcome): StoreEntry {
  return { op: "event", agentId, event: { kind: "guard-done", guardId, outcome } };
}

/** Ends a guard on the record and leaves the state as it is; its checkpoint is retention's from now on. */
export async function closeGuard<State>(
  kit: ManagerKit<State>,
  guard: UnfinishedGuard,
  outcome: Outcome,
): Promise<void> {
  const { committing } = await kit.queue.inTurn(() => ({
    committing: kit.commit([guardDone(kit.agentId, guard.guardId, outcome)]),
  }));
  await committing;
  kit.pruner.release(guard.checkpointId);
  kit.events.emit("guard", { ...factsOf(guard), phase: outcome });
}

/**
 * Goes back to the state from before the operation and ends the guard, and those of operations that were begun inside it, in one commit.
 * The exact state, or an error: then all of them are still open.
 */
export async function restoreGuard<State>(
  kit: ManagerKit<State>,
  guard: UnfinishedGuard,
  options: Pick<RestoreOptions, "signal" | "safety"> & InnerRestore = {},
  inner: readonly UnfinishedGuard[] = [],
): Promise<Restored<State>> {
  const undone = [...inner, guard];
  const restored = await restore(kit, guard.checkpointId, {
    ...options,
    allowOlder: false,
    reason: `undo of ${guard.operation}`,
    also: undone.map(({ guardId }) => guardDone(kit.agentId, guardId, "undone")),
  });
  for (const each of undone) {
    kit.pruner.release(each.checkpointId);
    kit.events.emit("guard", { ...factsOf(each), phase: "undone" });
  }
  return restored;
}

export function factsOf({ guardId, operation, checkpointId }: UnfinishedGuard): UnfinishedGuard {
  return { guardId, operation, checkpointId };
}
