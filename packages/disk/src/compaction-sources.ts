/** What becomes of the files that a compaction has replaced. */
import { classify, type FileSystem, removeStaleTemps, toCkptError } from "@ckpt/io";
import type { Catalog } from "./catalog.js";
import { type DeadWriters, unlinkQuietly } from "./dead-writers.js";
import type { PutEntry } from "./entry.js";
import type { StoreLayout } from "./layout.js";
import type { MaintenanceContext } from "./maintenance.js";
import { removeOlderManifests } from "./manifest.js";
import { mapBounded } from "./map-bounded.js";
import { quarantineSegment } from "./quarantine.js";
import type { Segment } from "./segment.js";

/** A temporary file lives for milliseconds; one this old, in milliseconds, is what a crash has left. */
const STALE_MS = 60_000;
const PARALLEL = 8;

/** Unlinks what was replaced; what is damaged is moved aside. */
export async function removeSources(
  { fs, layout }: MaintenanceContext,
  sources: readonly Segment[],
  lost: readonly PutEntry[],
) {
  const gone = await mapBounded(sources, PARALLEL, async (source) => {
    let quarantined: string | undefined;
    let files = 0;
    const { writerId, number } = source;
    const why = source.damages.map((region) => `${region.start}..${region.end}: ${region.why}`);
    const lostIds = lost.filter((put) => put.segment === source).map((put) => put.header.id);
    if (why.length + source.orphans.length + lostIds.length > 0) {
      if (!source.isMissing)
        quarantined = await quarantineSegment(fs, layout, { segment: { writerId, number }, why, lostIds });
    } else if (await unlinkQuietly(fs, layout.segment(source))) files++;
    if (await unlinkQuietly(fs, layout.hint(source))) files++;
    return { files, quarantined };
  });
  const writerIds = new Set(sources.map((source) => source.writerId));
  await mapBounded([...writerIds], PARALLEL, async (writerId) => {
    await fs.syncDirectory(layout.writer(writerId)).catch((error: unknown) => {
      if (classify(error) !== "not-found")
        throw toCkptError(error, { doing: "sync", path: layout.writer(writerId) });
    });
  });
  return {
    files: gone.reduce((sum, { files }) => sum + files, 0),
    quarantined: gone.flatMap(({ quarantined }) => quarantined ?? []),
  };
}

/** Removes directories of dead writers that hold nothing any more, temporary files of crashes, and manifests that a newer one contains. */
export async function sweep({ fs, layout, catalog }: MaintenanceContext, dead: DeadWriters) {
  let removedFiles = 0;
  for (const { writerId, number } of catalog.directory.manifest.replaced.values()) {
    // Replaced by a compaction that did not get as far as unlinking.
    if (!dead.ids.includes(writerId)) continue;
    if (await unlinkQuietly(fs, layout.segment({ writerId, number }))) removedFiles++;
    if (await unlinkQuietly(fs, layout.hint({ writerId, number }))) removedFiles++;
  }
  await mapBounded(dead.ids, PARALLEL, async (writerId) => {
    if (await missesSegments(catalog, writerId)) return;
    const removed = await dead.remove(writerId);
    removedFiles += removed;
  });
  if (removedFiles > 0) {
    await fs.syncDirectory(layout.writers);
    await fs.syncDirectory(layout.heads);
  }
  for (const directory of [layout.root, layout.heads, layout.manifests, layout.quarantine]) {
    removedFiles += (await removeStaleTemps(directory, { fs, olderThanMs: STALE_MS })).length;
  }
  await removeOlderManifests(fs, layout, catalog.directory.manifest.number);
  return { removedFiles, lostIds: [], quarantined: [] };
}

/** Whether a segment of the writer is lost: its hint and its head are all that tells of it, until repair() writes it down. */
export async function missesSegments({ directory }: Catalog, writerId: string): Promise<boolean> {
  const writer = directory.writers.get(writerId);
  if (writer === undefined) return false;
  return (await directory.headFindings(writer)).some(({ kind }) => kind === "missing");
}

export async function totalBytes(
  fs: FileSystem,
  layout: StoreLayout,
  segments: readonly Segment[],
): Promise<number> {
  let bytes = 0;
  for (const segment of segments) bytes += (await fs.stat(layout.segment(segment)))?.size ?? 0;
  return bytes;
}
