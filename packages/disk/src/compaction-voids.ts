/** What the sources of a compaction say about where other segments end: docs/format.md, "Segment header". */
import { segmentKey } from "./layout.js";
import type { Segment } from "./segment.js";
import type { StoreDirectory } from "./store-directory.js";

/**
 * The sources, without forgetting what their headers void: a save that was rejected would come back, in the place of what was saved after it.
 * So a segment that only sources void goes along with them; where it is not among `takeable`, a source stays that voids it.
 */
export function withVoided(
  chosen: readonly Segment[],
  takeable: readonly Segment[],
  directory: StoreDirectory,
): Segment[] {
  const sources = new Set(chosen);
  const mayTake = new Map(takeable.map((segment) => [segment.key, segment]));
  const all = directory.segments();
  const there = new Set(all.map(({ key }) => key));
  for (const { unreadable } of directory.writers.values())
    for (const { key } of unreadable.values()) there.add(key);
  for (;;) {
    const exposed = firstExposed(sources, all, there);
    if (exposed === undefined) return all.filter((segment) => sources.has(segment));
    const target = mayTake.get(exposed.target);
    if (target !== undefined) sources.add(target);
    else {
      sources.delete(exposed.source);
      mayTake.delete(exposed.source.key);
    }
  }
}

/** A segment that stays, and a source without which nothing would void its end any more. */
function firstExposed(sources: ReadonlySet<Segment>, all: readonly Segment[], there: ReadonlySet<string>) {
  const staying = all.filter((segment) => !sources.has(segment));
  const safe = new Set(staying.flatMap(voidedBy));
  for (const { key } of sources) safe.add(key);
  for (const source of sources) {
    const target = voidedBy(source).find((key) => there.has(key) && !safe.has(key));
    if (target !== undefined) return { source, target };
  }
  return undefined;
}

function voidedBy({ writerId, voids }: Segment): string[] {
  return voids.map(({ number }) => segmentKey({ writerId, number }));
}
