import { randomUUID } from "node:crypto";
import {
  type Capture,
  type CheckpointDraft,
  type Metadata,
  type SignalOption,
  type StoreEntry,
  validateName,
} from "@ckpt/core";
import { announceAll, settleAll } from "./group-saves.js";
import { type AnyKit, aloneInAll, commitAll, kitsOf, operateAll } from "./group-turns.js";
import type { ResilientCheckpointManager } from "./resilient-manager.js";
import { RestoresUnderWay } from "./restores-under-way.js";

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
