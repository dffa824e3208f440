import type { RetentionContext } from "./context.js";
import type { Reading } from "./history.js";
import { wayBack } from "./lineage.js";
import type { HistoryEntry, ProtectionCode } from "./policy.js";
import type { Reasons } from "./reasons.js";

/** What no policy may drop. */
export interface Protection {
  readonly entries: ReadonlySet<HistoryEntry>;
  /** Those of them that caps do not count: damaged, and many perhaps, they would cost copies that can be restored. */
  readonly uncounted: ReadonlySet<HistoryEntry>;
}

/** Finds what no policy may drop, and notes why. */
export function* protect(
  { history, byId, newest, newestTimed }: Reading,
  context: RetentionContext,
  reasons: Reasons,
): Generator<void, Protection> {
  const entries = new Set<HistoryEntry>();
  const guard = (entry: HistoryEntry | undefined, code: ProtectionCode, message: string) => {
    if (entry === undefined) return;
    entries.add(entry);
    reasons.add(entry, { code, message });
  };
  const head = typeof context.headId === "string" ? byId.get(context.headId) : undefined;
  guard(head, "head", "It is the head: what the agent would continue from.");
  // Where the head was removed, a recovery begins at the newest.
  const start = head ?? (context.headId === undefined ? undefined : history.entries.at(-1));
  const back = start?.damaged === true ? yield* wayBack(start, history.entries, byId) : undefined;
  const why = head === undefined ? "There is no head, the newest is damaged" : "The head is damaged";
  if (back !== undefined && head === undefined)
    guard(start, "head-lineage", `${why}, and a recovery begins here.`);
  guard(back?.intact, "head-fallback", `${why}, and this is its newest intact ancestor.`);
  // Without one of them the next plan, and a recovery, could take a checkpoint of another line for the ancestor.
  for (const entry of back?.damaged ?? []) {
    guard(entry, "head-lineage", `${why}, and a recovery goes back through this one.`);
  }
  for (const id of history.guardBaseIds) {
    guard(byId.get(id), "guard-base", "An unfinished guarded operation would be undone to it.");
  }
  for (const id of history.pinnedIds) guard(byId.get(id), "pinned", "It is pinned.");
  const what = newest?.damaged === true ? "newest, and none is intact" : "newest intact checkpoint";
  guard(newest, "newest-intact", `It is the ${what}.`);
  if (newestTimed !== newest) {
    guard(
      newestTimed,
      "newest-time",
      "Ages are measured from it: the timestamp of the newest cannot be read.",
    );
  }
  return { entries, uncounted: back?.damaged ?? new Set() };
}
