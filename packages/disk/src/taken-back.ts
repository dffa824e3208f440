/** Which removals and ends a compaction must keep: those of something that a segment may hold which it does not replace. */
import type { Catalog } from "./catalog.js";
import type { StoredEntry } from "./entry.js";
import type { Segment } from "./segment.js";

/** Of those among an agent's entries in the sources that take something back, the ones that must live on. */
export async function keptRetractions(
  { directory }: Catalog,
  agentId: string,
  mine: readonly StoredEntry[],
  taken: ReadonlySet<unknown>,
): Promise<StoredEntry[]> {
  const retractions = mine.filter(takesBack);
  if (retractions.length === 0) return [];
  const others = directory.segments().filter((segment) => !taken.has(segment));
  // What cannot be read may hold anything, and so may what is gone, should it be brought back.
  const isUnknown = directory.unreadable.length > 0 || directory.missesSome;
  if (isUnknown || others.some((segment) => !segment.isWhole)) return retractions;
  const elsewhere = await targetsIn(others, agentId);
  return retractions.filter((entry) => targetsOf(entry).some((target) => elsewhere.has(target)));
}

function takesBack(entry: StoredEntry): boolean {
  if (entry.kind === "event") return entry.event.kind === "guard-done" || entry.event.kind === "unpinned";
  return entry.kind === "removal";
}

/** What an entry takes back, each named as {@link targetsIn} names it. */
function targetsOf(entry: StoredEntry): string[] {
  if (entry.kind === "removal") return entry.ids.map((id) => `put ${id}`);
  if (entry.kind !== "event") return [];
  if (entry.event.kind === "guard-done") return [`guard ${entry.event.guardId}`];
  return entry.event.kind === "unpinned" ? [`pin ${entry.event.checkpointId}`] : [];
}

/** What the segments hold of the agent that can be taken back. Copies that a compaction has not got to publish count as well. */
async function targetsIn(segments: readonly Segment[], agentId: string): Promise<Set<string>> {
  const targets = new Set<string>();
  for (const segment of segments) {
    if (!segment.has(agentId)) continue;
    for (const entry of await segment.entries(agentId)) {
      if (entry.kind === "put") targets.add(`put ${entry.header.id}`);
      else if (entry.kind !== "event") continue;
      else if (entry.event.kind === "guard-begun") targets.add(`guard ${entry.event.guardId}`);
      else if (entry.event.kind === "pinned") targets.add(`pin ${entry.event.checkpointId}`);
    }
  }
  return targets;
}
