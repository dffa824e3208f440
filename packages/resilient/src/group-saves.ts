/** What follows a commit of several agents, for each of them. */
import type { Capture, CommitReceipt, SavedCheckpoint } from "@ckpt/core";
import type { AnyKit } from "./group-turns.js";

/** The saves of one agent. */
export type AnnouncedSaves = readonly SavedCheckpoint<unknown>[];

/** Tells each agent of its part of a commit, and the drift monitors of the `captured` states where they are steps. */
export function announceAll(
  kits: readonly AnyKit[],
  receipt: CommitReceipt,
  captured?: readonly Capture[],
): AnnouncedSaves[] {
  return kits.map((kit, i) => {
    const headers = receipt.headers.filter((header) => header.agentId === kit.agentId);
    return kit.announceSaves({ ...receipt, headers }, captured?.[i]?.snapshot);
  });
}

/** Waits until each agent is through with its saves. */
export async function settleAll(kits: readonly AnyKit[], saved: readonly AnnouncedSaves[]): Promise<void> {
  await Promise.all(kits.map((kit, i) => kit.settleSaves(saved[i]!)));
}
