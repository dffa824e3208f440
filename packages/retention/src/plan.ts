import type { CheckpointHeader } from "@ckpt/core";
import { applyCaps } from "./apply-caps.js";
import { applyKeeps } from "./apply-keeps.js";
import type { RetentionContext } from "./context.js";
import { emptyPolicy, requirePolicy } from "./errors.js";
import { readHistory, type Suspension } from "./history.js";
import type { Reason, RetentionPolicy } from "./policy.js";
import { protect } from "./protect.js";
import { Reasons } from "./reasons.js";
import { endsStep } from "./steps.js";

/** What is to become of one checkpoint. */
export interface RetentionDecision {
  readonly header: CheckpointHeader;
  readonly action: "keep" | "drop";
  /** At least one. Kept: everything that speaks for it, protections first. Dropped: what took it. */
  readonly reasons: readonly Reason[];
  /** No policy could drop it: one of its reasons has a `ProtectionCode`. */
  readonly isProtected: boolean;
}

/** The whole answer, as a value: making it changes nothing. `keep` and `drop` share out the headers, oldest first. */
export interface RetentionPlan {
  readonly keep: readonly RetentionDecision[];
  readonly drop: readonly RetentionDecision[];
  /** The ids of `drop`, oldest first: what a store's `remove` takes. */
  readonly dropIds: readonly string[];
  /** Set when age rules dropped nothing because the clock cannot be trusted. */
  readonly suspended: Suspension | null;
  /** The time that ages were measured from, in milliseconds since 1970. */
  readonly nowMs: number;
}

/**
 * Plans what to keep and what to drop. Pure: the plan is the dry run, and carrying it out is the caller's, by removing
 * `plan.dropIds`. O(n log n) in the number of headers.
 *
 * Never dropped, whatever the policy says: the head (and where it is damaged, its newest intact ancestor and the damaged ones that a
 * recovery passes; where it was removed, the same of the newest), the bases of unfinished guards, pinned checkpoints, the newest intact
 * checkpoint, and where its timestamp cannot be read, the newest intact one whose timestamp can.
 *
 * @param headers one agent's headers, in any order; they are ordered by sequence, never by clock.
 * @param nowMs the wall clock, in milliseconds since 1970. When it is more than a day away from the newest stored time that
 *   can be read, the plan is `suspended`: age rules keep all that they cover.
 * @throws CKPT_EMPTY_POLICY when the policy has no rule; CKPT_INVALID_ARGUMENT when it is no policy, headers are of several agents, or one is
 *   there twice, `nowMs` is no finite number, or a size that `maxBytes` counts is none.
 */
export function planRetention(
  headers: readonly CheckpointHeader[],
  policy: RetentionPolicy,
  nowMs: number,
  context: RetentionContext = {},
): RetentionPlan {
  const steps = planSteps(headers, policy, nowMs, context);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/**
 * The plan that {@link planRetention} makes, without blocking for long: every few hundred checkpoints, within each rule as well, `pause`
 * is asked and, when it returns a promise, awaited. A pause may answer `undefined` while little time has passed. Rejects with what
 * `planRetention` throws. `headers` must not change meanwhile.
 */
export async function planRetentionInSlices(
  headers: readonly CheckpointHeader[],
  policy: RetentionPolicy,
  nowMs: number,
  context: RetentionContext,
  pause: () => Promise<void> | undefined,
): Promise<RetentionPlan> {
  const steps = planSteps(headers, policy, nowMs, context);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    const waiting = pause();
    if (waiting !== undefined) await waiting;
  }
}

function* planSteps(
  headers: readonly CheckpointHeader[],
  policy: RetentionPolicy,
  nowMs: number,
  context: RetentionContext,
): Generator<void, RetentionPlan> {
  requirePolicy(policy, "planRetention");
  if (policy.keeps.length + policy.caps.length === 0) throw emptyPolicy("The policy");
  const reading = yield* readHistory(headers, nowMs, context);
  const { history, suspended } = reading;
  const reasons = new Reasons(history.entries);
  const protection = yield* protect(reading, context, reasons);
  yield* applyKeeps(history, policy, reasons);
  const evicted = yield* applyCaps(history, policy, reasons, protection);

  const keep: RetentionDecision[] = [];
  const drop: RetentionDecision[] = [];
  const dropIds: string[] = [];
  for (const entry of history.entries) {
    if (endsStep(entry.index)) yield;
    const { header } = entry;
    const kept = reasons.of(entry);
    const lost = evicted.of(entry);
    if (kept !== undefined && lost === undefined) {
      keep.push({ header, action: "keep", reasons: kept, isProtected: protection.entries.has(entry) });
    } else {
      const why = lost ?? [{ code: "no-rule", message: "No rule keeps it." }];
      drop.push({ header, action: "drop", reasons: why, isProtected: false });
      dropIds.push(header.id);
    }
  }
  return { keep, drop, dropIds, suspended, nowMs: history.nowMs };
}
