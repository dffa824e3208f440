import { type CheckpointHeader, isCkptError, type Snapshot } from "@ckpt/core";
import { fail } from "./errors.js";
import type { ManagerKit } from "./manager-kit.js";
import type { SkippedCheckpoint } from "./recovery-report.js";

/** A checkpoint that was read back whole, and what was passed over on the way to it. */
export interface Intact<State> {
  readonly header: CheckpointHeader;
  readonly snapshot: Snapshot;
  readonly data: State;
  readonly skipped: readonly SkippedCheckpoint[];
  /** A removed checkpoint on the way had its place taken by the newest older one. */
  readonly lineageGap: boolean;
}

interface SearchOptions {
  readonly signal?: AbortSignal | undefined;
  /** Whether an older checkpoint of the lineage may stand in for a damaged one. */
  readonly allowOlder: boolean;
}

/** Damage, as against a refusal: a newer version or a failing migration is no reason to go back in time. */
export function isDamage(error: unknown): boolean {
  return isCkptError(error, "CKPT_CORRUPT") || isCkptError(error, "CKPT_NOT_FOUND");
}

/**
 * Reads `asked`, or, where that is damaged, the nearest intact ancestor. Rejects with the damage itself when no older one is
 * allowed, with `CKPT_CORRUPT` (details.skipped) when none is intact, and with anything that is not damage at once.
 */
export async function newestIntact<State>(
  kit: ManagerKit<State>,
  asked: CheckpointHeader,
  options: SearchOptions,
): Promise<Intact<State>> {
  const skipped: SkippedCheckpoint[] = [];
  let lineageGap = false;
  let firstError: unknown;
  for (let header: CheckpointHeader | undefined = asked; header !== undefined; ) {
    try {
      const snapshot = await kit.load(header, { signal: options.signal });
      return { header, snapshot, data: await kit.decode(header, snapshot), skipped, lineageGap };
    } catch (error) {
      if (!isDamage(error)) throw error;
      kit.damaged(header.id, error);
      if (!options.allowOlder) throw error;
      firstError ??= error;
      const { code, message } = error as { code: string; message: string };
      skipped.push({ id: header.id, sequence: header.sequence, code, message });
    }
    const older: { header: CheckpointHeader | undefined; gap: boolean } = await ancestor(kit, header);
    lineageGap ||= older.gap;
    header = older.header;
  }
  throw fail("CKPT_CORRUPT", {
    message: `Checkpoint ${asked.id} is damaged, and so is everything that it was continued from`,
    hint: "Run the store's verify and repair, restore another checkpoint by hand, or start anew; nothing was changed.",
    cause: firstError,
    details: { id: asked.id, skipped },
  });
}

/**
 * What a checkpoint was continued from. Where that was removed, the newest that is older than it: removal leaves no word of the
 * line, and the history of an agent that was never rolled back is one line.
 */
export async function ancestor<State>(
  kit: Pick<ManagerKit<State>, "lookUp" | "list">,
  header: CheckpointHeader,
): Promise<{ header: CheckpointHeader | undefined; gap: boolean }> {
  const { parentId } = header;
  if (parentId === null) return { header: undefined, gap: false };
  const parent = await kit.lookUp(parentId);
  if (parent !== undefined && parent.sequence < header.sequence) return { header: parent, gap: false };
  const removed = Number(parentId.slice(parentId.lastIndexOf(":") + 1));
  const beforeSequence = Number.isSafeInteger(removed) ? Math.min(removed, header.sequence) : header.sequence;
  const [older] = await kit.list({ beforeSequence, reverse: true, limit: 1 });
  return { header: older, gap: older !== undefined };
}
