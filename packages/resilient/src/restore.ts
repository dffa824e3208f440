import {
  type AgentState,
  type Capture,
  type Checkpoint,
  type CheckpointHeader,
  checkpointNotFound,
  type Json,
  type SignalOption,
  type StoreEntry,
} from "@ckpt/core";
import { fail } from "./errors.js";
import type { ManagerKit } from "./manager-kit.js";
import { type Intact, newestIntact } from "./newest-intact.js";
import type { SkippedCheckpoint } from "./recovery-report.js";
import { type CheckpointReference, resolveReference } from "./resolve-reference.js";

/** The note that says where an undo of the last restore leads. */
const UNDO_TOPIC = "ckpt.undo";

export interface RestoreOptions extends SignalOption {
  /** Let the newest intact older checkpoint of the lineage stand in for a damaged one. Default true. */
  readonly allowOlder?: boolean | undefined;
  /** Save the live state first (as `safety`), so that the restore can be undone. Default true; needs `collect`. */
  readonly safety?: boolean | undefined;
  /** Why, for the record. Default `restore`. */
  readonly reason?: string | undefined;
}

/** What a restore did. */
export interface Restored<State> {
  /** The state, as it was given to `apply`; without `apply`, yours to keep. */
  readonly data: State;
  /** The checkpoint that it came from: the head now. */
  readonly checkpoint: Checkpoint<State>;
  /** The one that was asked for; not `checkpoint.id` when that one was damaged. */
  readonly askedId: string;
  /** Damaged checkpoints that were passed over, newest first; empty when all was well. */
  readonly skipped: readonly SkippedCheckpoint[];
  /** Where `undoRestore` leads: the state from before; null when there was none. */
  readonly undoId: string | null;
}

interface MoveOptions extends RestoreOptions {
  /** More entries for the commit that moves the head. */
  readonly also?: readonly StoreEntry[];
}

/** Restores `reference`: see `ResilientCheckpointManager.restoreCheckpoint`. The live state is captured before this returns. */
export async function restore<State>(
  kit: ManagerKit<State>,
  reference: CheckpointReference,
  options: MoveOptions = {},
): Promise<Restored<State>> {
  const safety = captureSafety(kit, options);
  return restoreTo(kit, await resolveReference(kit, reference), safety, options);
}

/** The same for a checkpoint that is there, or undefined where there is none of this id. */
export async function rollBack<State>(
  kit: ManagerKit<State>,
  id: string,
  options: SignalOption,
): Promise<State | undefined> {
  const safety = captureSafety(kit, {});
  const header = await kit.lookUp(id);
  if (header === undefined) return undefined;
  const restored = await restoreTo(kit, header, safety, {
    ...options,
    allowOlder: false,
    reason: "rollback",
  });
  return restored.data;
}

/** The live state as it is now, or a promise of it; undefined where it is not wanted or cannot be had. */
function captureSafety<State>(
  kit: ManagerKit<State>,
  options: MoveOptions,
): Capture | Promise<Capture> | undefined {
  if (options.safety === false || !kit.hasCollect) return undefined;
  const safety = kit.captureLive("safety");
  // Whatever happens first, a failure to capture is told where it is awaited, never as an unhandled rejection.
  if (safety instanceof Promise) safety.catch(() => {});
  return safety;
}

async function restoreTo<State>(
  kit: ManagerKit<State>,
  asked: CheckpointHeader,
  safety: Capture | Promise<Capture> | undefined,
  options: MoveOptions,
): Promise<Restored<State>> {
  const { signal } = options;
  return kit.pruner.sparing([asked.id], async () => {
    const found = await newestIntact(kit, asked, { signal, allowOlder: options.allowOlder !== false });
    const undoId = await moveTo(kit, found, await safety, options);
    await kit.apply(found.data, found.header.id);
    const { header, data, skipped } = found;
    return { data, checkpoint: kit.handle(header), askedId: asked.id, skipped, undoId };
  });
}

/** One commit: the safety checkpoint, where an undo leads, and the head. Resolves to the undo's target. */
async function moveTo<State>(
  kit: ManagerKit<State>,
  found: Intact<State>,
  safety: Capture | undefined,
  options: MoveOptions,
): Promise<string | null> {
  const { header, snapshot } = found;
  const { agentId } = kit;
  const move = () =>
    kit.queue.alone(async (position) => {
      const before = position.headId;
      if ((await kit.lookUp(header.id)) === undefined) throw checkpointNotFound(agentId, header.id);
      // A live state that the head holds already needs no second copy.
      const isSaved = safety !== undefined && before !== null && (await isHead(kit, before, safety));
      const entries: StoreEntry[] = [...(options.also ?? [])];
      let undoId = before;
      if (safety !== undefined && !isSaved) {
        const draft = kit.draft(safety, position.next());
        entries.push({ op: "put", header: draft, snapshot: safety.snapshot });
        undoId = draft.id;
      }
      entries.push({
        op: "event",
        agentId,
        event: { kind: "note", topic: UNDO_TOPIC, body: { checkpointId: undoId } },
      });
      const { signal, reason } = options;
      const receipt = await kit.moveHead(position, header, snapshot, reason ?? "restore", {
        signal,
        also: () => entries,
      });
      kit.announceSaves(receipt);
      return undoId;
    });
  return kit.pruner.sparing([header.id], move);
}

async function isHead<State>(kit: ManagerKit<State>, headId: string, safety: Capture): Promise<boolean> {
  return (await kit.lookUp(headId))?.stateHash === safety.snapshot.hash;
}

/** Goes back to where the last restore came from. Rejects with `CKPT_NOT_FOUND` when there was none. */
export async function undoRestore<State>(
  kit: ManagerKit<State>,
  options: RestoreOptions,
): Promise<Restored<State>> {
  const target = undoTarget(await kit.readAgent());
  if (target === undefined) {
    throw fail("CKPT_NOT_FOUND", {
      message: `Agent ${kit.agentId} has no restore to undo`,
      hint: "undoRestore goes back behind the last restore, rollback or failed guard; there was none.",
      details: { agentId: kit.agentId },
    });
  }
  if ((await kit.lookUp(target)) === undefined) throw checkpointNotFound(kit.agentId, target);
  return restore(kit, target, { reason: "undo", ...options });
}

/** Where an undo of the agent's last restore leads. */
export function undoTarget(agent: AgentState | undefined): string | undefined {
  const body: Json | undefined = agent?.notes[UNDO_TOPIC];
  if (typeof body !== "object" || body === null || Array.isArray(body)) return undefined;
  const id = (body as { readonly [key: string]: Json }).checkpointId;
  return typeof id === "string" ? id : undefined;
}
