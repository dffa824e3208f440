import type { ManagerEvents, StoreFinding } from "@ckpt/core";
import type { Verdict } from "@ckpt/drift";
import type { RetentionDecision } from "@ckpt/retention";

/** What a {@link ResilientCheckpointManager} tells those who listen, besides the events of every manager. */
export interface ResilientEvents<State = unknown> extends ManagerEvents<State> {
  /** Retention removed checkpoints; `decisions` has the reasons of each. */
  pruned: {
    readonly ids: readonly string[];
    readonly reason: string;
    readonly decisions?: readonly RetentionDecision[];
  };
  /** Age rules dropped nothing, because the clock jumped by more than a day. */
  pruningSuspended: { readonly message: string; readonly jumpMs: number };
  /** Saves reach memory only from now on. */
  degraded: { readonly error: unknown };
  /** Checkpoints that were in memory only are durable. */
  flushed: { readonly checkpointIds: readonly string[] };
  /** Nothing is in memory only any more. */
  recovered: { readonly degradedForMs: number };
  /** One of several places failed, or is back. */
  place: {
    readonly place: string;
    readonly state: "dropped" | "returned";
    readonly error?: unknown;
    /** Checkpoints copied to a place that is back. */
    readonly copied?: number;
  };
  /** A call of the store failed in a way that often passes, and is tried again. */
  retrying: { readonly operation: string; readonly error: unknown; readonly delayMs: number };
  /** Drift or corruption was noticed; once per episode. */
  drift: { readonly verdict: Verdict };
  /** A checkpoint could not be read back. */
  damaged: { readonly checkpointId: string; readonly error: unknown };
  /** The store noticed something wrong by itself. */
  finding: StoreFinding;
  /** A guarded operation began or ended. */
  guard: {
    readonly guardId: string;
    readonly operation: string;
    readonly checkpointId: string;
    readonly phase: "begun" | "completed" | "undone" | "not-undone" | "dismissed";
    readonly error?: unknown;
  };
}
