import type {
  Capture,
  CheckpointHeader,
  Metadata,
  SignalOption,
  StoreEntry,
  WritePosition,
} from "@ckpt/core";
import { fail } from "./errors.js";
import { applyAll, type Former, headEntry } from "./group-apply.js";
import { type AnnouncedSaves, announceAll, settleAll } from "./group-saves.js";
import {
  type AnyKit,
  aloneInAll,
  commitAll,
  inTurnOfAll,
  kitsOf,
  operateAll,
  spare,
  sparingAll,
} from "./group-turns.js";
import type { CheckpointGroup, GroupMember } from "./groups.js";
import { type Intact, newestIntact } from "./newest-intact.js";
import { captureSafety, isTooMuch, SAVING_SAFETY, undoEntry, undoTarget } from "./restore.js";
import { orAborted } from "./restores-under-way.js";

/**
 * Takes several agents back to one moment, all or nothing: every state is read and verified first, then all heads move in one
 * commit, then every `apply` is called. When one of them throws, the heads and the states before are put back.
 *
 * @param group what `checkpointGroup` resolved to, its `groupId`, or a group's name: the newest of that name
 *
 * Rejects with `CKPT_NOT_FOUND` when a manager has no checkpoint of the group, with `CKPT_CORRUPT` when one is damaged: nothing is
 * changed then. `CKPT_APPLY_FAILED`: an `apply` threw; details.putBack says whether all is as before.
 */
export async function restoreGroup(
  managers: readonly GroupMember[],
  group: string | Pick<CheckpointGroup, "groupId">,
  options: SignalOption = {},
): Promise<CheckpointGroup["members"]> {
  const kits = kitsOf(managers);
  const { signal } = options;
  return operateAll(kits, "restoreGroup", signal, () =>
    inTurnOfAll(kits, signal, (ends) => restoreAll(kits, group, signal, ends)),
  );
}

/** `ends[i]` is called once the `apply` of `kits[i]` was. */
async function restoreAll(
  kits: readonly AnyKit[],
  group: string | Pick<CheckpointGroup, "groupId">,
  signal: AbortSignal | undefined,
  ends: readonly (() => void)[],
): Promise<CheckpointGroup["members"]> {
  // A `collect` may never end.
  const before = await orAborted(signal, () => Promise.all(kits.map((kit) => captureSafety(kit, {}))));
  const groupId = typeof group === "string" ? group : group.groupId;
  const spared: (() => void)[] = [];
  try {
    const { headers, found, former, saved } = await aloneInAll(kits, signal, (positions) =>
      moveAll(kits, groupId, { before, positions, spared, signal }),
    );
    for (const kit of kits) kit.restores.moves++;
    const states = found.map(({ data, header }) => ({ data, id: header.id }));
    try {
      await applyAll(kits, states, former, ends);
    } finally {
      await settleAll(kits, saved);
    }
    for (const [i, kit] of kits.entries()) {
      kit.events.emit("restored", { checkpoint: kit.handle(headers[i]!), reason: "group" });
    }
    return headers.map(({ agentId, id }) => ({ agentId, id }));
  } finally {
    for (const end of spared) end();
  }
}

interface Move {
  /** The live states, to be saved and for an undo. */
  readonly before: readonly (Capture | undefined)[];
  readonly positions: readonly WritePosition[];
  /** Ends of what retention must leave alone until the states are applied, or put back. */
  readonly spared: (() => void)[];
  readonly signal: AbortSignal | undefined;
}

interface Moved {
  readonly headers: readonly CheckpointHeader[];
  readonly found: readonly Intact<unknown>[];
  readonly former: readonly Former[];
  readonly saved: readonly AnnouncedSaves[];
}

/** Reads all states of the group, then moves all heads in one commit. */
async function moveAll(kits: readonly AnyKit[], groupId: string, move: Move): Promise<Moved> {
  const headers = await findGroup(kits, groupId);
  const found: Intact<unknown>[] = [];
  for (const [i, kit] of kits.entries()) {
    found.push(await newestIntact(kit, headers[i]!, { signal: move.signal, allowOlder: false }));
  }
  const undoIds = await Promise.all(kits.map(async (kit) => undoTarget(await kit.readAgent()) ?? null));
  try {
    return { headers, found, ...(await moveTo(kits, headers, undoIds, move, move.before)) };
  } catch (error) {
    const withSafety = kits.filter((_, i) => move.before[i] !== undefined);
    if (withSafety.length === 0 || !isTooMuch(error)) throw error;
    // The states that are broken are what has to go.
    for (const kit of withSafety) kit.report(SAVING_SAFETY, error);
    return { headers, found, ...(await moveTo(kits, headers, undoIds, move, [])) };
  }
}

/** One commit: the safety checkpoints, where an undo of each leads, and the heads. */
async function moveTo(
  kits: readonly AnyKit[],
  headers: readonly CheckpointHeader[],
  undoIds: readonly (string | null)[],
  { before, positions, spared, signal }: Move,
  safety: readonly (Capture | undefined)[],
): Promise<Pick<Moved, "former" | "saved">> {
  const headIds = headers.map((header) => header.id);
  const entries: StoreEntry[] = [];
  const former = kits.map((kit, i): Former => {
    const position = positions[i]!;
    const capture = safety[i];
    let { headId } = position;
    if (capture !== undefined) {
      const draft = kit.draft(capture, position.next());
      entries.push({ op: "put", header: draft, snapshot: capture.snapshot });
      headId = draft.id;
    }
    entries.push(undoEntry(kit.agentId, headId), headEntry(kit.agentId, headIds[i]!, "group"));
    return { headId, undoId: undoIds[i]!, live: before[i] };
  });
  // Head and undo lead somewhere else for now; an apply that fails takes both back.
  const formerIds = former.map(({ headId }) => headId);
  spared.push(spare(kits, undoIds), spare(kits, formerIds));
  const receipt = await sparingAll(kits, headIds, () => commitAll(kits, positions, headIds, entries, signal));
  return { former, saved: announceAll(kits, receipt) };
}

/** The group's checkpoint of each manager; by id, or the newest group of a name. */
async function findGroup(kits: readonly AnyKit[], idOrName: string): Promise<CheckpointHeader[]> {
  const lists = await Promise.all(kits.map((kit) => kit.list({ reverse: true })));
  const newest = lists[0]!.find((header) => header.name === idOrName && groupIdOf(header) !== undefined);
  const groupId = (newest && groupIdOf(newest)) ?? idOrName;
  return kits.map((kit, i) => {
    const header = lists[i]!.find((candidate) => groupIdOf(candidate) === groupId);
    if (header !== undefined) return header;
    throw fail("CKPT_NOT_FOUND", {
      message: `Agent ${kit.agentId} has no checkpoint of the group ${idOrName}`,
      hint: "Give the managers that the group was saved with; a removed member makes it incomplete.",
      details: { agentId: kit.agentId, group: idOrName },
    });
  });
}

function groupIdOf({ metadata }: CheckpointHeader): string | undefined {
  const { group } = metadata;
  if (typeof group !== "object" || group === null || Array.isArray(group)) return undefined;
  const { groupId } = group as Metadata;
  return typeof groupId === "string" ? groupId : undefined;
}
