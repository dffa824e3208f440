import type { Capture, StoreEntry } from "@ckpt/core";
import { fail } from "./errors.js";
import { type AnyKit, aloneInAll, commitAll, inTurnOfAll, sparingAll } from "./group-turns.js";
import { describeError } from "./place-failure.js";
import { resolveReference } from "./resolve-reference.js";
import { undoEntry } from "./restore.js";

/** Where an agent was before a group restore. */
export interface Former {
  /** Its head, or the copy of its live state. */
  readonly headId: string | null;
  /** Where an undo led. */
  readonly undoId: string | null;
  /** Its live state, where that could be had. */
  readonly live: Capture | undefined;
}

/** A state for `apply`, and the checkpoint that it is of. */
interface Handed {
  readonly data: unknown;
  readonly id: string;
}

export function headEntry(agentId: string, checkpointId: string, reason: string): StoreEntry {
  return { op: "event", agentId, event: { kind: "head", checkpointId, reason } };
}

/**
 * Hands each agent its state of the group; puts heads and states back when an `apply` fails. `ends[i]` is called once the `apply` of
 * `kits[i]` was.
 */
export async function applyAll(
  kits: readonly AnyKit[],
  states: readonly Handed[],
  former: readonly Former[],
  ends: readonly (() => void)[],
): Promise<void> {
  const outcomes = await applyEach(kits, states, ends);
  const failed = outcomes.findIndex(({ status }) => status === "rejected");
  if (failed < 0) return;
  const cause: unknown = (outcomes[failed] as PromiseRejectedResult).reason;
  const { agentId } = kits[failed]!;
  const putBack = await putAllBack(kits, former);
  throw fail("CKPT_APPLY_FAILED", {
    message: `Agent ${agentId} could not take over its state of the group (${describeError(cause).message})`,
    hint: putBack ? "All is as before." : "Some states are not as before: restore the group, or each agent.",
    cause,
    details: { agentId, putBack },
  });
}

/** All are called before one is waited for: an `apply` may save another agent, and such a save waits for that one's. */
function applyEach(
  kits: readonly AnyKit[],
  states: readonly Handed[],
  ends: readonly (() => void)[],
): Promise<PromiseSettledResult<void>[]> {
  const applying = kits.map((kit, i) => {
    const { data, id } = states[i]!;
    const applied = kit.apply(data, id);
    ends[i]!();
    return applied;
  });
  return Promise.allSettled(applying);
}

/**
 * Moves all heads back in one commit, and hands out the states from before. Resolves to whether all is as before: an agent whose live
 * state could not be had gets that of its former head.
 */
async function putAllBack(kits: readonly AnyKit[], former: readonly Former[]): Promise<boolean> {
  try {
    return await inTurnOfAll(kits, undefined, (ends) => putBackNow(kits, former, ends));
  } catch (error) {
    kits[0]!.report("putting the states back after a failed group restore", error);
    return false;
  }
}

async function putBackNow(
  kits: readonly AnyKit[],
  former: readonly Former[],
  ends: readonly (() => void)[],
): Promise<boolean> {
  const heads = former.map(({ headId }) => headId).filter((id) => id !== null);
  if (heads.length < kits.length) return false;
  // Before a head moves: one that cannot be read leaves all of them where the states are.
  const states = await Promise.all(kits.map((kit, i) => stateBefore(kit, heads[i]!, former[i]!.live)));
  const entries = kits.flatMap((kit, i) => [
    undoEntry(kit.agentId, former[i]!.undoId),
    headEntry(kit.agentId, heads[i]!, "undo of a group restore"),
  ]);
  await aloneInAll(kits, undefined, async (positions) => {
    // Someone may have removed it by hand: the head would move nowhere.
    await Promise.all(kits.map((kit, i) => resolveReference(kit, heads[i]!)));
    await sparingAll(kits, heads, () => commitAll(kits, positions, heads, entries, undefined));
  });
  const outcomes = await applyEach(kits, states, ends);
  for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
  return former.every(({ live }) => live !== undefined);
}

async function stateBefore(kit: AnyKit, id: string, live: Capture | undefined): Promise<Handed> {
  if (live !== undefined) {
    const { schemaVersion, snapshot } = live;
    return { id, data: await kit.decode({ id, schemaVersion }, snapshot) };
  }
  const header = await resolveReference(kit, id);
  return { id, data: await kit.decode(header, await kit.load(header)) };
}
