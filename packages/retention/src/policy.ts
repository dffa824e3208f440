import type { CheckpointHeader } from "@ckpt/core";
import type { Steps } from "./steps.js";

/** Why a checkpoint is kept or dropped. */
export interface Reason {
  /** For programs; stable within a major version. */
  readonly code: ReasonCode;
  /** One sentence for people. */
  readonly message: string;
}

/** The codes of the built-in rules; a rule of one's own ({@link keepIf}) may bring another. */
export type ReasonCode =
  | ProtectionCode
  | "keep-all"
  | "keep-first"
  | "keep-last"
  | "keep-within"
  | "keep-until-released"
  | "keep-pinned"
  | "gfs-hourly"
  | "gfs-daily"
  | "gfs-weekly"
  | "gfs-monthly"
  | "gfs-yearly"
  | "drift-anchor"
  | "drift-anchor-next"
  | "before-suspicion"
  | "age-suspended"
  | "not-covered"
  | "no-rule"
  | "max-count"
  | "max-bytes"
  | (string & {});

/**
 * What no policy can drop. Where the head is damaged, `head-fallback` is its newest intact ancestor and `head-lineage` a damaged one that
 * a recovery passes, which caps do not count; where the head was removed, the newest stands for it. `newest-time` is what ages are measured from while newer timestamps cannot be read.
 */
export type ProtectionCode =
  | "head"
  | "head-fallback"
  | "head-lineage"
  | "guard-base"
  | "pinned"
  | "newest-intact"
  | "newest-time";

/** One checkpoint as the rules see it. */
export interface HistoryEntry {
  readonly header: CheckpointHeader;
  /** Its place in the whole history, whatever the scope: 0 is the oldest. */
  readonly index: number;
  /** The header's timestamp as milliseconds since 1970 UTC; NaN where it cannot be read. */
  readonly timeMs: number;
  readonly damaged: boolean;
}

/** What a rule selects from. Narrowed to the rule's scope by `forName` and its kin. */
export interface History {
  /** Oldest first, by sequence. */
  readonly entries: readonly HistoryEntry[];
  /** Damaged checkpoints are left out of `entries`: its newest is the newest intact one. */
  readonly damagedLeftOut: boolean;
  /** The sequence of the newest intact checkpoint of the whole history, whatever the scope. */
  readonly newestSequence: number;
  /** The time that ages are measured from: the larger of the wall clock and the newest stored time that can be read. */
  readonly nowMs: number;
  /** Age rules keep all that they cover. */
  readonly ageSuspended: boolean;
  readonly guardBaseIds: ReadonlySet<string>;
  readonly releasedIds: ReadonlySet<string>;
  readonly pinnedIds: ReadonlySet<string>;
  /** First sequence under each open suspicion. */
  readonly suspectedSince: readonly number[];
}

/**
 * Selects what to keep. A checkpoint is kept when any rule that covers it selects it. A rule that takes long over a long history
 * can be a generator that yields every few hundred checkpoints: there, `planRetentionInSlices` lets others run.
 */
export interface KeepRule {
  covers(header: CheckpointHeader): boolean;
  select(history: History, keep: (entry: HistoryEntry, reason: Reason) => void): Steps;
}

/**
 * Takes from what was kept. It is handed the kept checkpoints of its scope, oldest first, and cannot drop protected ones. It can be
 * a generator, as a {@link KeepRule} can.
 */
export interface CapRule {
  covers(header: CheckpointHeader): boolean;
  evict(
    kept: readonly HistoryEntry[],
    isProtected: (entry: HistoryEntry) => boolean,
    drop: (entry: HistoryEntry, reason: Reason) => void,
  ): Steps;
}

/**
 * A retention policy: an immutable value, made by the functions of this package and composed by `anyOf`, `forName`,
 * `forOtherNames` and `perName`.
 *
 * Keep rules are ORed: a checkpoint stays when any of them selects it. A checkpoint that a keep rule covers and none
 * selects goes. A checkpoint that no keep rule covers stays. Caps come last, in the order given, over what stays.
 */
export interface RetentionPolicy {
  readonly keeps: readonly KeepRule[];
  readonly caps: readonly CapRule[];
}

const everything = () => true;

/** A policy of one keep rule over all names. */
export function keepPolicy(select: KeepRule["select"]): RetentionPolicy {
  return { keeps: [{ covers: everything, select }], caps: [] };
}

/** A policy of one cap over all names. */
export function capPolicy(evict: CapRule["evict"]): RetentionPolicy {
  return { keeps: [], caps: [{ covers: everything, evict }] };
}
