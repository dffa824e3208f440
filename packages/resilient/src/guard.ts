import { randomUUID } from "node:crypto";
import {
  type CheckpointDraft,
  isCkptError,
  type Json,
  type SignalOption,
  type StoreEntry,
  validateName,
} from "@ckpt/core";
import { fail, invalidArgument } from "./errors.js";
import { closeGuard, factsOf, restoreGuard } from "./guard-outcome.js";
import type { ManagerKit } from "./manager-kit.js";
import { describeError } from "./place-failure.js";
import type { UnfinishedGuard } from "./recovery-report.js";

export interface GuardOptions extends SignalOption {
  /** Labels for the `pre_operation` checkpoint. */
  readonly metadata?: { readonly [key: string]: Json } | undefined;
}

/** What a guarded operation is told. */
export interface GuardContext {
  readonly guardId: string;
  /** The checkpoint that a failure goes back to. */
  readonly checkpointId: string;
  readonly signal: AbortSignal | undefined;
}

/** Refuses, by name, what cannot put a state back. */
export function requireCollectAndApply(kit: { hasCollect: boolean; hasApply: boolean }, what: string): void {
  if (kit.hasCollect && kit.hasApply) return;
  const missing = [...(kit.hasCollect ? [] : ["collect"]), ...(kit.hasApply ? [] : ["apply"])];
  throw invalidArgument(
    `${what} needs the options collect and apply; ${missing.join(" and ")} ${missing.length > 1 ? "are" : "is"} missing`,
    `Give the manager { collect: () => state, apply: (state) => { ... } }: ${what} has to take the live state and to put it back.`,
    { missing },
  );
}

/** Refuses, by name, what there is nothing to run in. */
export function requireRun(run: unknown, what: string, kind: string): void {
  if (typeof run === "function") return;
  throw invalidArgument(
    `${what} has no ${kind} to run`,
    `Give the ${kind} as a function, behind the ${what === "guard" ? "name" : "manager"}.`,
  );
}

/** Runs `operation` so that a failure leaves no trace in the state: see `ResilientCheckpointManager.guard`. */
export async function guard<State, Result>(
  kit: ManagerKit<State>,
  operation: string,
  run: (context: GuardContext) => Result | Promise<Result>,
  options: GuardOptions,
): Promise<Result> {
  requireCollectAndApply(kit, "guard");
  validateName(operation, "operation");
  requireRun(run, "guard", "operation");
  const { signal } = options;
  const guardId = randomUUID();
  const begun = await kit.operate("guard", signal, () => begin(kit, guardId, operation, options));
  kit.events.emit("guard", { ...begun, phase: "begun" });
  let result: Result;
  try {
    result = await run({ guardId, checkpointId: begun.checkpointId, signal });
  } catch (error) {
    throw await undo(kit, begun, error);
  }
  try {
    await kit.operate("guard", undefined, () => closeGuard(kit, begun, "completed"));
  } catch (error) {
    // The operation is done, and its caller has to hear that. The next recovery will offer to undo it.
    kit.report(`recording that ${operation} is done`, error);
  }
  return result;
}

/** The state from before the operation and the word that it began, in one commit. */
async function begin<State>(
  kit: ManagerKit<State>,
  guardId: string,
  operation: string,
  options: GuardOptions,
): Promise<UnfinishedGuard> {
  const { signal, metadata } = options;
  const also = ({ id, agentId }: CheckpointDraft): readonly StoreEntry[] => [
    { op: "event", agentId, event: { kind: "guard-begun", guardId, operation, checkpointId: id } },
  ];
  const saved = await kit.withCapture("pre_operation", { operation, ...metadata }, signal, (capture) =>
    kit.save(capture, { signal, also }),
  );
  return { guardId, operation, checkpointId: saved.id };
}

/** Goes back to the state from before; the error says what the state of the world is now. */
async function undo<State>(kit: ManagerKit<State>, guarded: UnfinishedGuard, cause: unknown): Promise<Error> {
  const { operation, checkpointId } = guarded;
  const why = describeError(cause);
  try {
    const { undoId } = await kit.operate("guard", undefined, () => restoreGuard(kit, guarded));
    return fail("CKPT_GUARD_FAILED", {
      message: `${operation} failed (${why.message}); the state from before it is back`,
      hint: "The operation's own effects outside the state are as it left them. undoRestore brings the failed state back.",
      cause,
      details: { ...factsOf(guarded), restored: true, restoredId: checkpointId, undoId },
    });
  } catch (restoreError) {
    kit.events.emit("guard", { ...factsOf(guarded), phase: "not-undone", error: restoreError });
    // Then the head is where it should be, and the guard is over.
    const isApply = isCkptError(restoreError, "CKPT_APPLY_FAILED");
    return fail("CKPT_GUARD_FAILED", {
      message: `${operation} failed (${why.message}), and the state from before it could not be put back (${describeError(restoreError).message})`,
      hint: isApply
        ? `The head is at ${checkpointId}, the live state as apply left it. Correct apply, and restore ${checkpointId}.`
        : `The live state is as the operation left it. Restore ${checkpointId} or an earlier checkpoint by hand; recover will offer it too.`,
      cause,
      details: { ...factsOf(guarded), restored: false, restoreError: describeError(restoreError) },
    });
  }
}
