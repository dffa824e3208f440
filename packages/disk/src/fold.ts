/**
 * Folding: a compaction of bounded work, so that it ends within a short life. It takes whole dead writers, the smallest first: what an
 * earlier fold has written is large, and not copied again until enough of its size has come together (size-tiered, as in an LSM tree).
 */
import { type CompactionResult, compactSources } from "./compaction.js";
import { missesSegments } from "./compaction-sources.js";
import type { DeadWriters } from "./dead-writers.js";
import type { MaintenanceContext } from "./maintenance.js";
import { mapBounded } from "./map-bounded.js";
import type { WriterSegments } from "./writer-segments.js";

/** Each costs a lease and the removal of a directory: a fold takes no more of them, however small they are. */
const MAX_WRITERS = 16;
const PARALLEL = 8;

/** Folds dead writers that hold `maxBytes` between them, two at least, under a lease that the caller holds. */
export async function foldHeld(
  context: MaintenanceContext,
  dead: DeadWriters,
  maxBytes: number,
  signal: AbortSignal | undefined,
): Promise<CompactionResult> {
  const { directory } = context.catalog;
  await takeSmallest(context, dead, maxBytes);
  // What they left is final only now.
  await directory.refreshWriters(dead.ids);
  const isWorthIt = dead.ids.length > 1;
  const only = ({ isOwn }: { readonly isOwn: boolean }) => isWorthIt && !isOwn;
  const result = await compactSources(context, dead, { signal, salvage: false, only });
  await directory.refresh();
  return result;
}

/** Takes the smallest that are whole and can be proven dead. Side by side: beside saves, each step of one waits its turn. */
async function takeSmallest(
  { catalog }: MaintenanceContext,
  dead: DeadWriters,
  maxBytes: number,
): Promise<void> {
  const waiting = catalog.directory.foldableWriters.sort((a, b) => b.bytes - a.bytes);
  let bytes = 0;
  for (;;) {
    const batch: WriterSegments[] = [];
    for (let next = waiting.at(-1); next !== undefined; next = waiting.at(-1)) {
      const count = dead.ids.length + batch.length;
      if (count === MAX_WRITERS || (count > 1 && bytes + next.bytes > maxBytes)) break;
      bytes += next.bytes;
      batch.push(next);
      waiting.pop();
    }
    if (batch.length === 0) return;
    await mapBounded(batch, PARALLEL, async (writer) => {
      const { writerId } = writer;
      if ((await missesSegments(catalog, writerId)) || !(await dead.take(writerId))) bytes -= writer.bytes;
    });
  }
}
