import type { CheckpointHeader } from "@ckpt/core";
import type { RetentionContext } from "./context.js";
import { describeMs } from "./duration.js";
import { invalidArgument } from "./errors.js";
import type { History, HistoryEntry } from "./policy.js";

/** Checkpoints that are worked on in one step. */
export const STEP = 256;

const CLOCK_JUMP_MS = 86_400_000;
const HAS_OFFSET = /(?:Z|[+-]\d\d:?\d\d)$/i;

/** Why age rules drop nothing at the moment. */
export interface Suspension {
  readonly code: "clock-jump" | "clock-suspect";
  readonly message: string;
  /** Wall clock minus the newest stored time, in milliseconds; negative when the clock is behind. */
  readonly jumpMs: number;
}

/** A time without an offset is read as UTC, so that a plan does not depend on where it is made. */
function parseTime(timestamp: string): number {
  return Date.parse(HAS_OFFSET.test(timestamp) || !timestamp.includes("T") ? timestamp : `${timestamp}Z`);
}

function* sortedEntries(
  headers: readonly CheckpointHeader[],
  damagedIds: ReadonlySet<string>,
): Generator<void, HistoryEntry[]> {
  const entries: HistoryEntry[] = [];
  let isSorted = true;
  for (let i = 0; i < headers.length; i++) {
    const header = headers[i]!;
    if (i > 0 && header.sequence < headers[i - 1]!.sequence) isSorted = false;
    entries.push({ header, timeMs: parseTime(header.timestamp), damaged: damagedIds.has(header.id) });
    if (i % STEP === 0) yield;
  }
  if (!isSorted) entries.sort((a, b) => a.header.sequence - b.header.sequence);
  const ids = new Set<string>();
  for (let i = 0; i < entries.length; i++) {
    const { header } = entries[i]!;
    const before = entries[i - 1]?.header;
    if (before !== undefined && before.agentId !== header.agentId) {
      throw invalidArgument(
        `The headers are of two agents, ${JSON.stringify(before.agentId)} and ${JSON.stringify(header.agentId)}.`,
        "Plan each agent by itself: sequences are per agent.",
      );
    }
    if (before?.sequence === header.sequence || ids.has(header.id)) {
      throw invalidArgument(
        `Checkpoint ${JSON.stringify(header.id)} or its sequence ${header.sequence} is there twice.`,
        "Give each header once, as the store lists them.",
      );
    }
    ids.add(header.id);
    if (i % STEP === 0) yield;
  }
  return entries;
}

function suspension(wallMs: number, newestMs: number, context: RetentionContext): Suspension | null {
  const jumpMs = Number.isNaN(newestMs) ? 0 : wallMs - newestMs;
  if (Math.abs(jumpMs) > CLOCK_JUMP_MS) {
    const side = jumpMs > 0 ? "ahead of" : "behind";
    const message = `The clock is ${describeMs(Math.abs(jumpMs))} ${side} the newest checkpoint: nothing is dropped for its age.`;
    return { code: "clock-jump", message, jumpMs };
  }
  if (context.clockSuspect !== true) return null;
  return {
    code: "clock-suspect",
    message: "The clock is not trusted: nothing is dropped for its age.",
    jumpMs,
  };
}

interface Reading {
  readonly history: History;
  readonly newest: HistoryEntry | undefined;
  readonly suspended: Suspension | null;
}

/** Puts headers in order and works out the time to measure ages from; in steps. */
export function* readHistory(
  headers: readonly CheckpointHeader[],
  wallMs: number,
  context: RetentionContext,
): Generator<void, Reading> {
  if (!Number.isFinite(wallMs)) {
    throw invalidArgument(`nowMs is ${wallMs}.`, "Give milliseconds since 1970, for example Date.now().");
  }
  const entries = yield* sortedEntries(headers, new Set(context.damagedIds));
  // The newest *intact* one is always kept, so what is measured from it does not change by carrying out a plan.
  const newest = entries.findLast((entry) => !entry.damaged) ?? entries.at(-1);
  const newestMs = newest?.timeMs ?? Number.NaN;
  const suspended = suspension(wallMs, newestMs, context);
  const since = context.suspectedSince ?? [];
  const history: History = {
    entries,
    newestSequence: newest?.header.sequence ?? 0,
    nowMs: Number.isNaN(newestMs) ? wallMs : Math.max(wallMs, newestMs),
    ageSuspended: suspended !== null,
    guardBaseIds: new Set(context.openGuards?.map((guard) => guard.checkpointId)),
    releasedIds: new Set(context.releasedIds),
    pinnedIds: new Set(context.pinnedIds),
    suspectedSince: typeof since === "number" ? [since] : since,
  };
  return { history, newest, suspended };
}
