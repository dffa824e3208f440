import type { CheckpointHeader } from "@ckpt/core";
import type { RetentionContext } from "./context.js";
import { emptyPolicy } from "./errors.js";
import { readHistory, STEP, type Suspension } from "./history.js";
import type { History, HistoryEntry, Reason, RetentionPolicy } from "./policy.js";
import { protectedReasons } from "./protect.js";

/** What is to become of one checkpoint. */
export interface RetentionDecision {
  readonly header: CheckpointHeader;
  readonly action: "keep" | "drop";
  /** At least one. Kept: everything that speaks for it, protections first. Dropped: what took it. */
  readonly reasons: readonly Reason[];
  /** No policy could drop it: head, base of an unfinished guard, pinned, newest intact. */
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

type Reasons = Map<HistoryEntry, Reason[]>;

function add(reasons: Reasons, entry: HistoryEntry, reason: Reason): void {
  const list = reasons.get(entry);
  if (list === undefined) reasons.set(entry, [reason]);
  else if (!list.some((known) => known.code === reason.code && known.message === reason.message))
    list.push(reason);
}

/**
 * Each rule sees the intact checkpoints alone, so that its promise holds in copies that restore; and then all of them, so
 * that a damaged one stays, for a repair, as long as it would have stayed whole.
 */
function* applyKeeps(history: History, policy: RetentionPolicy, reasons: Reasons): Generator<void, void> {
  const intact = history.entries.filter((entry) => !entry.damaged);
  const views: History[] = [{ ...history, entries: intact }];
  if (intact.length < history.entries.length) views.push(history);
  for (const rule of policy.keeps) {
    for (const view of views) {
      rule.select(view, (entry, reason) => add(reasons, entry, reason));
      yield;
    }
  }
  for (let i = 0; i < history.entries.length; i++) {
    if (i % STEP === 0) yield;
    const entry = history.entries[i]!;
    if (policy.keeps.some((rule) => rule.covers(entry.header))) continue;
    add(reasons, entry, { code: "not-covered", message: "No rule of the policy speaks about its name." });
  }
}

function* applyCaps(
  history: History,
  policy: RetentionPolicy,
  kept: Reasons,
  guarded: ReadonlySet<HistoryEntry>,
): Generator<void, Reasons> {
  const evicted: Reasons = new Map();
  for (const rule of policy.caps) {
    const within = history.entries.filter(
      (entry) => kept.has(entry) && !evicted.has(entry) && rule.covers(entry.header),
    );
    rule.evict(
      within,
      (entry) => guarded.has(entry),
      (entry, reason) => {
        if (!guarded.has(entry)) add(evicted, entry, reason);
      },
    );
    yield;
  }
  return evicted;
}

/**
 * Plans what to keep and what to drop. Pure: the plan is the dry run, and carrying it out is the caller's, by removing
 * `plan.dropIds`. O(n log n) in the number of headers.
 *
 * Never dropped, whatever the policy says: the head (and where it is damaged, its newest intact ancestor), the bases of
 * unfinished guards, pinned checkpoints, and the newest intact checkpoint.
 *
 * @param headers one agent's headers, in any order; they are ordered by sequence, never by clock.
 * @param nowMs the wall clock, in milliseconds since 1970. When it is more than a day away from the newest stored time, the plan
 *   is `suspended`: age rules keep all that they cover.
 * @throws CKPT_EMPTY_POLICY when the policy has no rule; CKPT_INVALID_ARGUMENT when headers are of several agents, or one is
 *   there twice, or `nowMs` is no finite number.
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
 * The plan that {@link planRetention} makes, without blocking for long: every few hundred checkpoints, and after each rule, `pause`
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
  if (policy.keeps.length + policy.caps.length === 0) throw emptyPolicy("The policy");
  const { history, newest, suspended } = yield* readHistory(headers, nowMs, context);
  const reasons = protectedReasons(history, newest, context);
  const guarded = new Set(reasons.keys());
  yield* applyKeeps(history, policy, reasons);
  const evicted = yield* applyCaps(history, policy, reasons, guarded);

  const keep: RetentionDecision[] = [];
  const drop: RetentionDecision[] = [];
  for (let i = 0; i < history.entries.length; i++) {
    if (i % STEP === 0) yield;
    const entry = history.entries[i]!;
    const { header } = entry;
    const kept = reasons.get(entry);
    const lost = evicted.get(entry);
    if (kept !== undefined && lost === undefined) {
      keep.push({ header, action: "keep", reasons: kept, isProtected: guarded.has(entry) });
    } else {
      const why = lost ?? [{ code: "no-rule", message: "No rule keeps it." }];
      drop.push({ header, action: "drop", reasons: why, isProtected: false });
    }
  }
  return { keep, drop, dropIds: drop.map((decision) => decision.header.id), suspended, nowMs: history.nowMs };
}
