import {
  type AgentState,
  type Capture,
  type Checkpoint,
  type CheckpointHeader,
  type CommitReceipt,
  isCkptError,
  type Json,
  type MoveHeadOptions,
  type SavedCheckpoint,
  type SignalOption,
  type StoreEntry,
  type WritePosition,
} from "@ckpt/core";
import { fail } from "./errors.js";
import type { ManagerKit } from "./manager-kit.js";
import { type Intact, newestIntact } from "./newest-intact.js";
import type { SkippedCheckpoint } from "./recovery-report.js";
import { type CheckpointReference, resolveReference } from "./resolve-reference.js";
import { orAborted } from "./restores-under-way.js";

/** The note that says where an undo of the last restore leads. */
const UNDO_TOPIC = "ckpt.undo";

/** What could not be done, where a restore goes on without its safety checkpoint. */
export const SAVING_SAFETY = "saving the live state before a restore";

export interface RestoreOptions extends SignalOption {
  /** Let the newest intact older checkpoint of the lineage stand in for a damaged one. Default true. */
  readonly allowOlder?: boolean | undefined;
  /**
   * Save the live state first (as `safety`), so that the restore can be undone; needs `collect`. Without it or with undefined, one that
   * cannot be saved (`collect` throws, a refused value, full memory) is reported and does not keep the restore from being done: the
   * state that is broken is what has to go. With true the restore rejects then; with false none is saved.
   */
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
  /** Where `undoRestore` leads: the state from before, or the former head where that could not be saved; null when there was none. */
  readonly undoId: string | null;
}

/** For a restore inside another call. */
export interface InnerRestore {
  /** It has its turn among the restores, and calls this once `apply` was called. */
  readonly end?: (() => void) | undefined;
  /** Where an undo leads where no live state is saved. Default: to the head that is left. */
  readonly formerId?: string | null | undefined;
}

interface MoveOptions<State> extends RestoreOptions, InnerRestore {
  /** More entries for the commit that moves the head. */
  readonly also?: readonly StoreEntry[];
  /** Makes a first child of the checkpoint, which becomes the head in the same commit. */
  readonly child?: (found: Intact<State>) => Capture;
}

/** A restore, and the child that was made where one was asked for. */
interface Done<State> {
  readonly restored: Restored<State>;
  readonly child: SavedCheckpoint<State> | undefined;
}

/** Restores `reference`: see `ResilientCheckpointManager.restoreCheckpoint`. The live state is captured before this returns. */
export async function restore<State>(
  kit: ManagerKit<State>,
  reference: CheckpointReference,
  options: MoveOptions<State> = {},
): Promise<Restored<State>> {
  return (await restoreIn(kit, () => resolveReference(kit, reference), options))!.restored;
}

/** Restores `reference` and saves the `child` of it, which is the head then: one commit, and one `apply`. */
export async function restoreAsChild<State>(
  kit: ManagerKit<State>,
  reference: CheckpointReference,
  options: MoveOptions<State> & Required<Pick<MoveOptions<State>, "child">>,
): Promise<SavedCheckpoint<State>> {
  return (await restoreIn(kit, () => resolveReference(kit, reference), options))!.child!;
}

/** The same for a checkpoint that is there, or undefined where there is none of this id. */
export async function rollBack<State>(
  kit: ManagerKit<State>,
  id: string,
  options: SignalOption,
): Promise<State | undefined> {
  const strict = { ...options, allowOlder: false, reason: "rollback" };
  return (await restoreIn(kit, () => kit.lookUp(id), strict))?.restored.data;
}

/** The live state as it is now, or a promise of it; undefined where it is not wanted or cannot be had. */
export function captureSafety<State>(
  kit: ManagerKit<State>,
  options: RestoreOptions,
): Capture | Promise<Capture | undefined> | undefined {
  if (options.safety === false || !kit.hasCollect) return undefined;
  try {
    const safety = kit.captureNow("safety");
    if (!(safety instanceof Promise)) return safety;
    const tolerant = safety.catch((error: unknown) => withoutSafety(kit, options, error));
    // Whatever happens first, a failure to capture is told where it is awaited, never as an unhandled rejection.
    tolerant.catch(() => {});
    return tolerant;
  } catch (error) {
    return withoutSafety(kit, options, error);
  }
}

/** The live state cannot be saved: goes on without it, unless it was asked for. */
function withoutSafety<State>(kit: ManagerKit<State>, options: RestoreOptions, error: unknown): undefined {
  if (options.safety === true) throw error;
  kit.report(SAVING_SAFETY, error);
}

/** In turn with the saves around it: finds the checkpoint, reads it, moves the head. Then `apply`, with the turn over. */
async function restoreIn<State>(
  kit: ManagerKit<State>,
  find: () => Promise<CheckpointHeader | undefined>,
  options: MoveOptions<State>,
): Promise<Done<State> | undefined> {
  const { signal } = options;
  const move = async (end: () => void): Promise<Done<State> | undefined> => {
    const safety = captureSafety(kit, options);
    const moved = await kit.queue.alone(async (position) => {
      const asked = await find();
      if (asked === undefined) return undefined;
      const found = await newestIntact(kit, asked, { signal, allowOlder: options.allowOlder !== false });
      const { header, data, skipped } = found;
      // A `collect` may never end, and holds up every turn behind this one.
      const live = safety instanceof Promise ? await orAborted(signal, () => safety) : safety;
      const { undoId, ...made } = await moveTo(kit, position, found, live, options);
      return {
        ...made,
        restored: { data, checkpoint: kit.handle(header), askedId: asked.id, skipped, undoId },
      };
    }, signal);
    if (moved === undefined) return undefined;
    const { restored, saved, child } = moved;
    kit.restores.moves++;
    const applying = kit.apply(restored.data, restored.checkpoint.id);
    end();
    try {
      await applying;
    } finally {
      await kit.settleSaves(saved);
    }
    return { restored, child };
  };
  // Not inside a turn of the queue: those before may need theirs.
  return options.end === undefined ? kit.restores.inTurn(signal, move) : move(options.end);
}

interface Moved<State> {
  /** Where an undo leads. */
  readonly undoId: string | null;
  readonly saved: readonly SavedCheckpoint<State>[];
  readonly child: SavedCheckpoint<State> | undefined;
}

/** One commit: the safety checkpoint, where an undo leads, and the head. */
async function moveTo<State>(
  kit: ManagerKit<State>,
  position: WritePosition,
  found: Intact<State>,
  safety: Capture | undefined,
  options: MoveOptions<State>,
): Promise<Moved<State>> {
  const { agentId } = kit;
  const { header, snapshot } = found;
  const before = position.headId;
  // A live state that the head holds already needs no second copy.
  const isSaved = safety !== undefined && before !== null && (await isHead(kit, before, safety));
  const entries: StoreEntry[] = [...(options.also ?? [])];
  const formerId = options.formerId === undefined ? before : options.formerId;
  let undoId = formerId;
  if (safety !== undefined && !isSaved) {
    const draft = kit.draft(safety, position.next());
    entries.push({ op: "put", header: draft, snapshot: safety.snapshot });
    undoId = draft.id;
  }
  entries.push(undoEntry(agentId, undoId));
  const { signal, reason = "restore" } = options;
  const child = options.child && childOf(kit, position, header, options.child(found));
  const also = () => entries;
  const move = () => kit.moveHead(position, header, snapshot, reason, { signal, also, child });
  try {
    const receipt = await kit.pruner.sparing([header.id], move);
    return { undoId, ...announceMove(kit, receipt, child) };
  } catch (error) {
    if (undoId === formerId || !isTooMuch(error)) throw error;
    withoutSafety(kit, options, error);
    return moveTo(kit, position, found, undefined, options);
  }
}

type Child = NonNullable<MoveHeadOptions["child"]>;

function childOf<State>(
  kit: ManagerKit<State>,
  position: WritePosition,
  { id }: CheckpointHeader,
  capture: Capture,
): Child {
  // The head that a place goes by is still the one that is being left.
  const place = { ...position.next(), parentId: id };
  return { op: "put", header: kit.draft(capture, place), snapshot: capture.snapshot };
}

/** Tells of the safety checkpoint, and then of the child, which is a step of the agent. */
function announceMove<State>(
  kit: ManagerKit<State>,
  receipt: CommitReceipt,
  child: Child | undefined,
): Pick<Moved<State>, "saved" | "child"> {
  const isChild = ({ id }: CheckpointHeader) => id === child?.header.id;
  const { headers } = receipt;
  const others = kit.announceSaves({ ...receipt, headers: headers.filter((header) => !isChild(header)) });
  if (child === undefined) return { saved: others, child };
  const children = kit.announceSaves({ ...receipt, headers: headers.filter(isChild) }, child.snapshot);
  return { saved: [...others, ...children], child: children[0] };
}

/** Whether a store says that it has no room for a state, which it might not say to a head move alone. */
export function isTooMuch(error: unknown): boolean {
  return (["CKPT_MEMORY_FULL", "CKPT_LIMIT", "CKPT_NO_SPACE"] as const).some((code) =>
    isCkptError(error, code),
  );
}

/** Writes down where an undo of the restore leads. */
export function undoEntry(agentId: string, checkpointId: string | null): StoreEntry {
  return { op: "event", agentId, event: { kind: "note", topic: UNDO_TOPIC, body: { checkpointId } } };
}

async function isHead<State>(kit: ManagerKit<State>, headId: string, safety: Capture): Promise<boolean> {
  return (await kit.lookUp(headId))?.stateHash === safety.snapshot.hash;
}

/** Goes back to where the last restore came from. Rejects with `CKPT_NOT_FOUND` when there was none. */
export async function undoRestore<State>(
  kit: ManagerKit<State>,
  options: RestoreOptions,
): Promise<Restored<State>> {
  const find = async () => {
    const target = undoTarget(await kit.readAgent());
    if (target !== undefined) return resolveReference(kit, target);
    throw fail("CKPT_NOT_FOUND", {
      message: `Agent ${kit.agentId} has no restore to undo`,
      hint: "undoRestore goes back behind the last restore, rollback or failed guard; there was none.",
      details: { agentId: kit.agentId },
    });
  };
  return (await restoreIn(kit, find, { reason: "undo", ...options }))!.restored;
}

/** Where an undo of the agent's last restore leads. */
export function undoTarget(agent: AgentState | undefined): string | undefined {
  const body: Json | undefined = agent?.notes[UNDO_TOPIC];
  if (typeof body !== "object" || body === null || Array.isArray(body)) return undefined;
  const id = (body as { readonly [key: string]: Json }).checkpointId;
  return typeof id === "string" ? id : undefined;
}
