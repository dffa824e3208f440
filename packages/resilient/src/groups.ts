import { randomUUID } from "node:crypto";
import {
  type Capture,
  type CheckpointDraft,
  type CheckpointHeader,
  type CommitReceipt,
  type Metadata,
  type SavedCheckpoint,
  type SignalOption,
  type StoreEntry,
  validateName,
  type WritePosition,
} from "@ckpt/core";
import { fail } from "./errors.js";
import { applyAll, type Former, headEntry } from "./group-apply.js";
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
import { type Intact, newestIntact } from "./newest-intact.js";
import type { ResilientCheckpointManager } from "./resilient-manager.js";
import { captureSafety, undoEntry, undoTarget } from "./restore.js";
import { orAborted, RestoresUnderWay } from "./restores-under-way.js";

/** The managers of a group may have states of different types. */
export type GroupMember = Pick<ResilientCheckpointManager, "agentId" | "status">;

/** One moment of several agents: a checkpoint of each, saved in one commit. */
export interface CheckpointGroup {
  readonly groupId: string;
  readonly name: string;
  readonly durability: "durable" | "volatile" | "degraded";
  readonly members: readonly { readonly agentId: string; readonly id: string }[];
}

export interface GroupOptions extends SignalOption {
  readonly metadata?: Metadata | undefined;
}

const ids = (drafts: readonly CheckpointDraft[]): string[] => drafts.map((draft) => draft.id);

/**
 * Saves the live states of several agents as one moment: all of them in one atomic commit, or none. The states are captured
 * before this returns (where a `collect` gives a promise, when all have resolved). Each checkpoint says in `metadata.group`
 * whom it belongs with.
 *
 * Rejects with `CKPT_INVALID_ARGUMENT` when the managers do not share a store, and as `createCheckpoint` does.
 */
export async function checkpointGroup(
  managers: readonly GroupMember[],
  name: string,
  options: GroupOptions = {},
): Promise<CheckpointGroup> {
  const kits = kitsOf(managers);
  validateName(name);
  const { signal } = options;
  const groupId = randomUUID();
  const group = { groupId, name, agentIds: kits.map((kit) => kit.agentId) };
  // Where one has to wait for a restore, all do: a state that is taken before the others' would be saved behind newer ones of its agent.
  const settled = untilRestored(kits);
  const captureNow = (kit: AnyKit) => kit.captureNow(name, { ...options.metadata, group });
  const now = settled === undefined ? captureAll(kits, captureNow) : undefined;
  return operateAll(kits, "checkpointGroup", signal, () => {
    // Without a promise among them there is no wait: the group keeps its place among the calls around it.
    if (now !== undefined && areThere(now)) return saveAll(kits, now, group, signal);
    const agents = kits.map((kit) => kit.restores);
    return RestoresUnderWay.capturing(agents, signal, async (begin) => {
      await settled;
      const captures = now ?? captureAll(kits, captureNow);
      const taken = areThere(captures)
        ? captures
        : captureAnew(kits, captures, await Promise.all(captures), captureNow);
      begin();
      return saveAll(kits, taken, group, signal);
    });
  });
}

/** Takes anew what was there before the promises of the others resolved: newer saves of its agent may have gone before it. */
function captureAnew(
  kits: readonly AnyKit[],
  captures: readonly (Capture | Promise<Capture>)[],
  taken: readonly Capture[],
  captureNow: (kit: AnyKit) => Capture | Promise<Capture>,
): readonly Capture[] {
  return captures.map((capture, i) => {
    const anew = capture instanceof Promise ? capture : captureNow(kits[i]!);
    if (!(anew instanceof Promise)) return anew;
    anew.catch(() => {}); // A `collect` that gives a promise now and then.
    return taken[i]!;
  });
}

function areThere(captures: readonly (Capture | Promise<Capture>)[]): captures is readonly Capture[] {
  return captures.every((capture) => !(capture instanceof Promise));
}

async function saveAll(
  kits: readonly AnyKit[],
  captured: readonly Capture[],
  { groupId, name }: Pick<CheckpointGroup, "groupId" | "name">,
  signal: AbortSignal | undefined,
): Promise<CheckpointGroup> {
  const { group, saved } = await aloneInAll(kits, signal, async (positions) => {
    const drafts = kits.map((kit, i) => kit.draft(captured[i]!, positions[i]!.next()));
    const entries = drafts.map(
      (header, i): StoreEntry => ({ op: "put", header, snapshot: captured[i]!.snapshot }),
    );
    const receipt = await commitAll(kits, positions, ids(drafts), entries, signal);
    const saved = announceAll(kits, receipt, captured);
    const members = drafts.map(({ agentId, id }) => ({ agentId, id }));
    return { group: { groupId, name, durability: receipt.durability, members }, saved };
  });
  await settleAll(kits, saved);
  return group;
}

type Saved = readonly SavedCheckpoint<unknown>[];

/** Tells each agent of its part of a commit, and the drift monitors of the `captured` states where they are steps. */
function announceAll(
  kits: readonly AnyKit[],
  receipt: CommitReceipt,
  captured?: readonly Capture[],
): Saved[] {
  return kits.map((kit, i) => {
    const headers = receipt.headers.filter((header) => header.agentId === kit.agentId);
    return kit.announceSaves({ ...receipt, headers }, captured?.[i]?.snapshot);
  });
}

async function settleAll(kits: readonly AnyKit[], saved: readonly Saved[]): Promise<void> {
  await Promise.all(kits.map((kit, i) => kit.settleSaves(saved[i]!)));
}

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
  readonly before: readonly (Capture | undefined)[];
  readonly positions: readonly WritePosition[];
  /** Ends of what retention must leave alone until the states are applied, or put back. */
  readonly spared: (() => void)[];
  readonly signal: AbortSignal | undefined;
}

/** Reads all states of the group, then moves all heads in one commit. */
async function moveAll(
  kits: readonly AnyKit[],
  groupId: string,
  { before, positions, spared, signal }: Move,
): Promise<{ headers: CheckpointHeader[]; found: Intact<unknown>[]; former: Former[]; saved: Saved[] }> {
  const headers = await findGroup(kits, groupId);
  const headIds = headers.map((header) => header.id);
  const found: Intact<unknown>[] = [];
  for (const [i, kit] of kits.entries()) {
    found.push(await newestIntact(kit, headers[i]!, { signal, allowOlder: false }));
  }
  const undoIds = await Promise.all(kits.map(async (kit) => undoTarget(await kit.readAgent()) ?? null));
  const moves = kits.map((kit, i) =>
    moveEntries(kit, headers[i]!, before[i], { position: positions[i]!, undoId: undoIds[i]! }),
  );
  // Head and undo lead somewhere else for now; an apply that fails takes both back.
  const former = moves.map((move) => move.former);
  spared.push(
    spare(kits, undoIds),
    spare(
      kits,
      former.map(({ headId }) => headId),
    ),
  );
  const entries = moves.flatMap((move) => move.entries);
  const receipt = await sparingAll(kits, headIds, () => commitAll(kits, positions, headIds, entries, signal));
  const saved = announceAll(kits, receipt);
  return { headers, found, former, saved };
}

/** Resolves when the restores of all managers that are under way now are over; undefined when there is none. */
function untilRestored(kits: readonly AnyKit[]): Promise<unknown> | undefined {
  const settled = kits.map((kit) => kit.restores.settled).filter((wait) => wait !== undefined);
  return settled.length === 0 ? undefined : Promise.all(settled);
}

/** A capture of each, all begun before this returns; none of them becomes an unhandled rejection when another one fails first. */
function captureAll<T>(
  kits: readonly AnyKit[],
  capture: (kit: AnyKit) => T | Promise<T>,
): (T | Promise<T>)[] {
  const captures: (T | Promise<T>)[] = [];
  for (const kit of kits) {
    const captured = capture(kit);
    if (captured instanceof Promise) captured.catch(() => {});
    captures.push(captured);
  }
  return captures;
}

function moveEntries(
  kit: AnyKit,
  header: CheckpointHeader,
  before: Capture | undefined,
  { position, undoId }: { readonly position: WritePosition; readonly undoId: string | null },
): { readonly entries: StoreEntry[]; readonly former: Former } {
  const entries: StoreEntry[] = [];
  let { headId } = position;
  if (before !== undefined) {
    const draft = kit.draft(before, position.next());
    entries.push({ op: "put", header: draft, snapshot: before.snapshot });
    headId = draft.id;
  }
  entries.push(undoEntry(kit.agentId, headId), headEntry(kit.agentId, header.id, "group"));
  return { entries, former: { headId, undoId, live: before } };
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
