import type { CheckpointHeader } from "@ckpt/core";
import { type ById, IdIndex } from "./by-id.js";
import { sortInSteps } from "./by-sequence.js";
import type { RetentionContext } from "./context.js";
import { describeMs } from "./duration.js";
import { invalidArgument } from "./errors.js";
import type { History, HistoryEntry } from "./policy.js";
import { quoted } from "./printable.js";
import { endsStep } from "./steps.js";
import { parseTime } from "./timestamp.js";

const CLOCK_JUMP_MS = 86_400_000;

/** Why age rules drop nothing at the moment. */
export interface Suspension {
  readonly code: "clock-jump" | "clock-suspect";
  readonly message: string;
  /** Wall clock minus the newest stored time that can be read, in milliseconds; negative when the clock is behind. */
  readonly jumpMs: number;
}

function* sorted(headers: readonly CheckpointHeader[]): Generator<void, readonly CheckpointHeader[]> {
  for (let i = 1; i < headers.length; i++) {
    if (endsStep(i)) yield;
    if (headers[i]!.sequence < headers[i - 1]!.sequence) return yield* sortInSteps(headers);
  }
  return headers;
}

function refuseTwice({ id, sequence }: CheckpointHeader): never {
  throw invalidArgument(
    `Checkpoint ${quoted(id)} or its sequence ${sequence} is there twice.`,
    "Give each header once, as the store lists them.",
    { id, sequence },
  );
}

function* readEntries(
  headers: readonly CheckpointHeader[],
  damagedIds: ReadonlySet<string>,
): Generator<void, { entries: readonly HistoryEntry[]; byId: ById }> {
  const entries: HistoryEntry[] = [];
  const byId = new IdIndex(entries);
  let before: CheckpointHeader | undefined;
  for (const header of yield* sorted(headers)) {
    const { id, agentId, sequence } = header;
    if (before !== undefined && before.agentId !== agentId) {
      throw invalidArgument(
        `The headers are of two agents, ${quoted(before.agentId)} and ${quoted(agentId)}.`,
        "Plan each agent by itself: sequences are per agent.",
        { agentIds: [before.agentId, agentId] },
      );
    }
    const index = entries.length;
    const entry = { header, index, timeMs: parseTime(header.timestamp), damaged: damagedIds.has(id) };
    if (before?.sequence === sequence || !byId.add(entry)) refuseTwice(header);
    entries.push(entry);
    before = header;
    if (endsStep(index)) yield;
  }
  const twice = yield* byId.twice();
  if (twice !== undefined) refuseTwice(twice);
  return { entries, byId };
}

function suspension(wallMs: number, newestMs: number, context: RetentionContext): Suspension | null {
  const jumpMs = Number.isNaN(newestMs) ? 0 : wallMs - newestMs;
  if (Math.abs(jumpMs) > CLOCK_JUMP_MS) {
    const side = jumpMs > 0 ? "ahead of" : "behind";
    const message = `The clock is ${describeMs(Math.abs(jumpMs))} ${side} the newest timestamp: nothing is dropped for its age.`;
    return { code: "clock-jump", message, jumpMs };
  }
  if (context.clockSuspect !== true) return null;
  return {
    code: "clock-suspect",
    message: "The clock is not trusted: nothing is dropped for its age.",
    jumpMs,
  };
}

/** The headers in order, and what is measured from. */
export interface Reading {
  readonly history: History;
  readonly byId: ById;
  /** The newest intact checkpoint; where none is, the newest. */
  readonly newest: HistoryEntry | undefined;
  /** The newest intact one whose timestamp can be read, or where none can, the newest of all that can: ages are measured from it. */
  readonly newestTimed: HistoryEntry | undefined;
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
  const { entries, byId } = yield* readEntries(headers, new Set(context.damagedIds));
  // Both are always kept, so what is measured from them does not change by carrying out a plan.
  const newest = entries.findLast((entry) => !entry.damaged) ?? entries.at(-1);
  const isTimed = (entry: HistoryEntry) => !Number.isNaN(entry.timeMs);
  const newestTimed =
    entries.findLast((entry) => isTimed(entry) && !entry.damaged) ?? entries.findLast(isTimed);
  const newestMs = newestTimed?.timeMs ?? Number.NaN;
  const suspended = suspension(wallMs, newestMs, context);
  const since = context.suspectedSince ?? [];
  const history: History = {
    entries,
    damagedLeftOut: false,
    newestSequence: newest?.header.sequence ?? 0,
    nowMs: Number.isNaN(newestMs) ? wallMs : Math.max(wallMs, newestMs),
    ageSuspended: suspended !== null,
    guardBaseIds: new Set(context.openGuards?.map((guard) => guard.checkpointId)),
    releasedIds: new Set(context.releasedIds),
    pinnedIds: new Set(context.pinnedIds),
    suspectedSince: typeof since === "number" ? [since] : since,
  };
  return { history, byId, newest, newestTimed, suspended };
}
