import type { RetentionContext } from "./context.js";
import type { History, HistoryEntry, ProtectionCode, Reason } from "./policy.js";

/** The nearest intact ancestor: what a recovery falls back to when the head is damaged. */
function intactAncestor(of: HistoryEntry, { entries }: History): HistoryEntry | undefined {
  const byId = new Map(entries.map((entry) => [entry.header.id, entry]));
  const visited = new Set<string>();
  let at: HistoryEntry | undefined = of;
  while (at?.damaged && !visited.has(at.header.id)) {
    visited.add(at.header.id);
    at = at.header.parentId === null ? undefined : byId.get(at.header.parentId);
  }
  return at?.damaged === false ? at : undefined;
}

/** What no policy may drop, with the reasons. */
export function protectedReasons(
  history: History,
  newest: HistoryEntry | undefined,
  context: RetentionContext,
): Map<HistoryEntry, Reason[]> {
  const named = new Set([context.headId, ...history.guardBaseIds, ...history.pinnedIds]);
  const byId = new Map<string, HistoryEntry>();
  for (const entry of history.entries) if (named.has(entry.header.id)) byId.set(entry.header.id, entry);
  const reasons = new Map<HistoryEntry, Reason[]>();
  const protect = (entry: HistoryEntry | undefined, code: ProtectionCode, message: string) => {
    if (entry === undefined) return;
    const list = reasons.get(entry);
    if (list === undefined) reasons.set(entry, [{ code, message }]);
    else list.push({ code, message });
  };
  const head = typeof context.headId === "string" ? byId.get(context.headId) : undefined;
  protect(head, "head", "It is the head: what the agent would continue from.");
  if (head?.damaged === true) {
    protect(
      intactAncestor(head, history),
      "head-fallback",
      "The head is damaged, and this is its newest intact ancestor.",
    );
  }
  for (const id of history.guardBaseIds) {
    protect(byId.get(id), "guard-base", "An unfinished guarded operation would be undone to it.");
  }
  for (const id of history.pinnedIds) protect(byId.get(id), "pinned", "It is pinned.");
  const what = newest?.damaged === true ? "newest, and none is intact" : "newest intact checkpoint";
  protect(newest, "newest-intact", `It is the ${what}.`);
  return reasons;
}
