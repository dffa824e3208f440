import { setTimeout as sleep } from "node:timers/promises";
import type {
  AgentState,
  CheckpointDraft,
  CheckpointHeader,
  CheckpointStore,
  Snapshot,
  StoreEntry,
} from "@ckpt/core";
import { isCkptError } from "@ckpt/errors";
import { newAgent } from "./agent-facts.js";
import { fail } from "./errors.js";
import { withoutPlaceNote } from "./place-note.js";
import { isRemoved, type Removed } from "./removed.js";

/** How often a checkpoint is read before it counts as damaged, and the pause in between: passed over once, it can never be copied. */
const LOADS = 4;
const PAUSE_MS = 20;

/** What a copy needs to read from. */
export type CopySource = Pick<CheckpointStore, "list" | "load" | "agent">;

/** A header as a writer hands it in: without what the store derives. */
export function draftOf(header: CheckpointHeader): CheckpointDraft {
  const { id, agentId, sequence, name, timestamp, parentId, metadata, schemaVersion } = header;
  return { id, agentId, sequence, name, timestamp, parentId, metadata, schemaVersion };
}

/**
 * Copies, oldest first, up to `limit` checkpoints that `target` has not, verified on the way. One that is damaged in the
 * source is passed over. Resolves to how many were looked at: less than `limit` means that nothing is left.
 */
export async function copyMissing(
  source: CopySource,
  target: CheckpointStore,
  agentId: string,
  limit: number,
): Promise<number> {
  const from = (await target.agent(agentId))?.lastSequence ?? 0;
  const missing = await source.list(agentId, { afterSequence: from, limit });
  for (const header of missing) {
    const snapshot = await loadIfWhole(source, header);
    if (snapshot !== undefined) await target.commit([{ op: "put", header: draftOf(header), snapshot }]);
  }
  return missing.length;
}

/** Undefined for what is gone, or damaged however often it is read: a failure that passes must not cost the copy. */
async function loadIfWhole(
  source: CopySource,
  { agentId, id }: CheckpointHeader,
): Promise<Snapshot | undefined> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await source.load(agentId, id);
    } catch (error) {
      if (isCkptError(error, "CKPT_NOT_FOUND")) return undefined;
      if (!isCkptError(error, "CKPT_CORRUPT")) throw error;
      if (attempt === LOADS) return undefined;
      await sleep(PAUSE_MS);
    }
  }
}

/** Removes from `target` what was removed while it was out: before anything is copied, since an id of it may have been put anew. */
export async function removeThere(target: CheckpointStore, agentId: string, removed: Removed): Promise<void> {
  if (removed.size === 0) return;
  const there = await target.list(agentId);
  const ids = there.filter((header) => isRemoved(removed, header)).map((header) => header.id);
  if (ids.length === 0) return;
  await target.commit([{ op: "remove", agentId, ids, reason: "reconciled: removed in the other place" }]);
}

/** What separates `target` from `source` once the newer checkpoints are copied. */
export interface Difference {
  /** The entries that make head, guards, pins and notes the same. */
  readonly entries: StoreEntry[];
  /** Ids that `target` lacks and cannot take, because its sequence is past them. */
  readonly unmovableIds: readonly string[];
}

/**
 * Compares an agent in two places, by their indexes. Nothing is removed: what `source` merely does not have may be all that is left
 * of it. Throws `CKPT_CONFLICT` when the two hold different states under one id.
 */
export async function compareAgent(
  source: CopySource,
  target: CopySource,
  agentId: string,
): Promise<Difference> {
  const { there, present } = await sameHistory(source, target, agentId);
  const [wanted, known] = [await source.agent(agentId), await target.agent(agentId)];
  const entries = factEntries(wanted ?? newAgent(agentId), known ?? newAgent(agentId), present);
  return {
    entries,
    unmovableIds: there.filter((header) => !present.has(header.id)).map((header) => header.id),
  };
}

/** The headers of both; throws `CKPT_CONFLICT` when one id is two states. To be asked before anything is copied. */
export async function sameHistory(
  source: CopySource,
  target: CopySource,
  agentId: string,
): Promise<{ there: CheckpointHeader[]; present: Map<string, CheckpointHeader> }> {
  const [there, here] = await Promise.all([source.list(agentId), target.list(agentId)]);
  const present = new Map(here.map((header) => [header.id, header]));
  const differing = there.filter(({ id, stateHash }) => {
    const known = present.get(id);
    return known !== undefined && known.stateHash !== stateHash;
  });
  if (differing.length > 0) throw anotherHistory(agentId, differing);
  return { there, present };
}

/** The `CKPT_CONFLICT` of {@link sameHistory}, or undefined where there is none. */
export async function otherHistory(
  source: CopySource,
  target: CopySource,
  agentId: string,
): Promise<unknown> {
  try {
    await sameHistory(source, target, agentId);
    return undefined;
  } catch (error) {
    if (isCkptError(error, "CKPT_CONFLICT")) return error;
    throw error;
  }
}

function anotherHistory(agentId: string, differing: readonly CheckpointHeader[]): Error {
  const ids = differing.map((header) => header.id);
  return fail("CKPT_CONFLICT", {
    message: `Two places hold different states of agent ${agentId} under the same ids, ${ids[0]} first`,
    hint: "Nothing was overwritten. Look at both with verify, then start one of them anew in an empty place.",
    details: { agentId, ids: ids.slice(0, 100) },
  });
}

function factEntries(
  wanted: AgentState,
  present: AgentState,
  headers: ReadonlyMap<string, CheckpointHeader>,
): StoreEntry[] {
  const { agentId } = wanted;
  const entries: StoreEntry[] = [];
  if (wanted.headId !== null && wanted.headId !== present.headId && headers.has(wanted.headId)) {
    entries.push({
      op: "event",
      agentId,
      event: { kind: "head", checkpointId: wanted.headId, reason: "reconciled" },
    });
  }
  const open = new Set(wanted.openGuards.map((guard) => guard.guardId));
  const known = new Set(present.openGuards.map((guard) => guard.guardId));
  for (const guard of wanted.openGuards) {
    if (!known.has(guard.guardId) && headers.has(guard.checkpointId)) {
      entries.push({ op: "event", agentId, event: { kind: "guard-begun", ...guard } });
    }
  }
  for (const { guardId } of present.openGuards) {
    // How it ended is known in the place where it did; here it only has to be over.
    if (!open.has(guardId)) {
      entries.push({ op: "event", agentId, event: { kind: "guard-done", guardId, outcome: "dismissed" } });
    }
  }
  for (const checkpointId of wanted.pinnedIds) {
    if (!present.pinnedIds.includes(checkpointId) && headers.has(checkpointId)) {
      entries.push({ op: "event", agentId, event: { kind: "pinned", checkpointId } });
    }
  }
  for (const checkpointId of present.pinnedIds) {
    if (!wanted.pinnedIds.includes(checkpointId)) {
      entries.push({ op: "event", agentId, event: { kind: "unpinned", checkpointId } });
    }
  }
  for (const [topic, body] of Object.entries(withoutPlaceNote(wanted.notes))) {
    if (JSON.stringify(present.notes[topic]) === JSON.stringify(body)) continue;
    entries.push({ op: "event", agentId, event: { kind: "note", topic, body } });
  }
  return entries;
}
