/**
 * Compaction and repair, under the store's maintenance lease.
 *
 * The order that keeps every checkpoint (docs/format.md, "Compacting"):
 * 1. sources: sealed segments of one's own, and segments of writers proven dead;
 * 2. outputs written and synced, hints beside them, heads recorded;
 * 3. the next manifest published by an exclusive link; whoever finds it taken unlinks its outputs;
 * 4. sources unlinked (damaged ones moved to quarantine), then what dead writers left.
 */
import { type CompactionReport, throwIfAborted } from "@ckpt/core";
import { Slices } from "@ckpt/io";
import { CompactionCopy, UnreadableSource } from "./compaction-copy.js";
import { CompactionOutput } from "./compaction-output.js";
import { type CompactionPlan, planCompaction } from "./compaction-plan.js";
import { discardLate, discardOutputs, publishOutputs } from "./compaction-publish.js";
import { removeSources, sweep, totalBytes } from "./compaction-sources.js";
import { withVoided } from "./compaction-voids.js";
import type { DeadWriters } from "./dead-writers.js";
import { segmentKey } from "./layout.js";
import type { MaintenanceContext } from "./maintenance.js";
import { type Manifest, readManifest } from "./manifest.js";
import type { Segment } from "./segment.js";
import { FORMAT_VERSION } from "./segment-header.js";

/** A segment with this share of visible checkpoints is left as it is. */
const PACKED_SHARE = 0.8;

export interface CompactionOptions {
  readonly signal: AbortSignal | undefined;
  /** Take damaged segments of dead writers as well, keep what can be read, and move them to quarantine. */
  readonly salvage: boolean;
  /** Take only these of the segments that may be taken. */
  readonly only?: (segment: Segment) => boolean;
  /** How the work is divided. @default a turn for others after each slice */
  readonly slices?: Slices;
}

export interface CompactionResult extends CompactionReport {
  /** Ids of checkpoints that could not be kept, and the segments in quarantine. Empty unless salvaging. */
  readonly lostIds: readonly string[];
  readonly quarantined: readonly string[];
}

/** Compacts under a lease that the caller holds. */
export async function compactHeld(
  context: MaintenanceContext,
  dead: DeadWriters,
  options: CompactionOptions,
): Promise<CompactionResult> {
  const { catalog, writer } = context;
  await writer.log.seal();
  for (const writerId of catalog.directory.writers.keys()) await dead.take(writerId);
  // What a dead writer left is final only now.
  await catalog.directory.refreshWriters(dead.ids);
  // Where the disk is full, saves wait for the room that this makes.
  const slices = new Slices(() => writer.log.isBusy && !writer.reserve.isReleased);
  return compactSources(context, dead, { ...options, slices });
}

/** Compacts what is sealed and what the writers in `dead` have left. */
export async function compactSources(
  context: MaintenanceContext,
  dead: DeadWriters,
  options: CompactionOptions,
): Promise<CompactionResult> {
  const unreadable = new Set<Segment>();
  for (;;) {
    throwIfAborted(options.signal, "compact");
    const takeable = chooseSources(context, dead, options.salvage).filter(
      (source) => !unreadable.has(source),
    );
    const chosen = takeable.filter((source) => options.only?.(source) !== false);
    const sources = withVoided(chosen, takeable, context.catalog.directory);
    try {
      return await replaceSources(context, dead, sources, options);
    } catch (error) {
      if (!(error instanceof UnreadableSource) || unreadable.has(error.segment)) throw error;
      // Damage that only copying met: left as it is, for repair().
      unreadable.add(error.segment);
    }
  }
}

function chooseSources({ catalog }: MaintenanceContext, dead: DeadWriters, salvage: boolean): Segment[] {
  const ids = new Set(dead.ids);
  return catalog.directory.segments().filter((segment) => {
    // A save that came since the seal has begun another segment of one's own: saves go on into it.
    if (segment.isOwn ? segment.isOpen : !ids.has(segment.writerId)) return false;
    if (segment.isNewer) return false;
    // Without a header and without damage nothing was ever written: what a crash left of a beginning.
    return salvage || segment.isWhole;
  });
}

async function replaceSources(
  context: MaintenanceContext,
  dead: DeadWriters,
  sources: readonly Segment[],
  { salvage, signal, slices = new Slices() }: CompactionOptions,
): Promise<CompactionResult> {
  const { fs, layout, options, catalog, writer } = context;
  const planned = catalog.directory.manifest;
  const bytesBefore = await totalBytes(fs, layout, sources);
  const plan = await planCompaction(catalog, sources, { salvage, slices, signal });
  if (sources.length === 0 && !hasFacts(plan)) {
    return { ...(await sweep(context, dead)), bytesBefore, bytesAfter: 0 };
  }
  if (!salvage && isPacked(plan, options.segmentBytes)) {
    return { ...(await sweep(context, dead)), bytesBefore, bytesAfter: bytesBefore };
  }
  const { segmentBytes, maxChainDeltas } = options;
  const begin = () => beginOutput(context);
  const copy = new CompactionCopy({
    fs,
    layout,
    segmentBytes,
    maxChainDeltas,
    salvage,
    signal,
    slices,
    begin,
  });
  let previous: Manifest;
  try {
    await copy.run(plan);
    for (const output of copy.outputs) writer.addOutput(await output.finish(slices));
    if (copy.outputs.length > 0) await writer.heads.flush();
    previous = await readManifest(fs, layout, catalog.directory.manifest);
  } catch (error) {
    await discardOutputs(context, copy.outputs);
    throw error;
  }
  // Others have compacted since, so the lease has lied: what was copied may have been removed and forgotten meanwhile. And what was not
  // in sight all the time may not have been copied whole.
  const there = new Set(catalog.directory.segments());
  const isSame = previous.number === planned.number && sources.every((source) => there.has(source));
  if (!isSame) await discardLate(context, copy.outputs);
  await publishOutputs(context, previous, sources, copy.outputs);
  await catalog.relocate(copy.copied, slices);
  await catalog.moved();
  const removed = await removeSources(context, sources, copy.lost);
  const lostIds = copy.lost.map((put) => put.header.id);
  writer.forget((number) => catalog.directory.isReplaced(segmentKey({ writerId: writer.writerId, number })));
  await writer.heads.flush();
  const swept = await sweep(context, dead);
  const bytesAfter = copy.outputs.reduce((sum, output) => sum + output.view.end.length, 0);
  const removedFiles = removed.files + swept.removedFiles;
  catalog.removedBytes = 0;
  return { bytesBefore, bytesAfter, removedFiles, lostIds, quarantined: removed.quarantined };
}

function hasFacts({ facts }: CompactionPlan): boolean {
  return [...facts.values()].some((list) => list.length > 0);
}

/** Whether copying would gain next to nothing: compacted segments, hardly anything removed, no more of them than needed. */
function isPacked({ sources, puts }: CompactionPlan, segmentBytes: number): boolean {
  let bytes = 0;
  let live = 0;
  for (const source of sources) {
    if (!source.isOwn || !source.isCompacted) return false;
    bytes += source.end.length;
    for (const put of puts.get(source) ?? []) live += put.length;
  }
  return live >= PACKED_SHARE * bytes && sources.length <= Math.ceil(bytes / segmentBytes);
}

function beginOutput({ fs, layout, writer }: MaintenanceContext): Promise<CompactionOutput> {
  const { storeId, writerId } = writer;
  const number = writer.log.takeNumber();
  return CompactionOutput.create(fs, layout, {
    format: FORMAT_VERSION,
    storeId,
    writerId,
    number,
    compacted: true,
    voids: [],
  });
}
