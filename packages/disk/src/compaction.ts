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
import { CkptError } from "@ckpt/errors";
import { acquireLease, classify, type FileSystem, toCkptError } from "@ckpt/io";
import type { Catalog } from "./catalog.js";
import { CompactionCopy, UnreadableSource } from "./compaction-copy.js";
import { CompactionOutput } from "./compaction-output.js";
import { type CompactionPlan, planCompaction } from "./compaction-plan.js";
import { DeadWriters, unlinkQuietly } from "./dead-writers.js";
import type { PutEntry } from "./entry.js";
import { readHeads } from "./heads.js";
import { type SegmentName, type StoreLayout, segmentKey } from "./layout.js";
import { type Manifest, publishManifest, readManifest, removeOlderManifests } from "./manifest.js";
import type { ResolvedOptions } from "./options.js";
import type { OwnWriter } from "./own-writer.js";
import { quarantineSegment } from "./quarantine.js";
import type { Segment } from "./segment.js";
import { FORMAT_VERSION } from "./segment-header.js";

/** A segment with this share of visible checkpoints is left as it is. */
const PACKED_SHARE = 0.8;

export interface MaintenanceContext {
  readonly fs: FileSystem;
  readonly layout: StoreLayout;
  readonly options: ResolvedOptions;
  readonly catalog: Catalog;
  readonly writer: OwnWriter;
}

export interface CompactionOptions {
  readonly signal: AbortSignal | undefined;
  /** Take damaged segments of dead writers as well, keep what can be read, and move them to quarantine. */
  readonly salvage: boolean;
  /** Take only these of the segments that may be taken. */
  readonly only?: (segment: Segment) => boolean;
}

export interface CompactionResult extends CompactionReport {
  /** Ids of checkpoints that could not be kept, and the segments in quarantine. Empty unless salvaging. */
  readonly lostIds: readonly string[];
  readonly quarantined: readonly string[];
}

/** Runs `work` while holding the store's maintenance lease; rejects with `CKPT_LOCKED` when another process has it. */
export async function underMaintenance<T>(
  { fs, layout, writer }: MaintenanceContext,
  work: (dead: DeadWriters) => Promise<T>,
): Promise<T> {
  const lease = await acquireLease(layout.maintenance, {
    fs,
    writer: writer.writerId,
    subject: "maintenance",
  });
  const dead = new DeadWriters(fs, layout);
  try {
    return await work(dead);
  } finally {
    await dead.release();
    await lease.release();
  }
}

/** Compacts under a lease that the caller holds. */
export async function compactHeld(
  context: MaintenanceContext,
  dead: DeadWriters,
  options: CompactionOptions,
): Promise<CompactionResult> {
  const { catalog, writer } = context;
  await writer.log.seal();
  for (const writerId of catalog.writers.keys()) await dead.take(writerId);
  // What a dead writer left is final only now.
  await catalog.refreshAll();
  const unreadable = new Set<Segment>();
  for (;;) {
    throwIfAborted(options.signal, "compact");
    const sources = chooseSources(context, dead, options.salvage).filter(
      (source) => !unreadable.has(source) && options.only?.(source) !== false,
    );
    try {
      return await replaceSources(context, dead, sources, options);
    } catch (error) {
      if (!(error instanceof UnreadableSource) || unreadable.has(error.segment)) throw error;
      // Damage that only copying met: left as it is, for repair().
      unreadable.add(error.segment);
    }
  }
}

function chooseSources(
  { catalog, writer }: MaintenanceContext,
  dead: DeadWriters,
  salvage: boolean,
): Segment[] {
  const ids = new Set(dead.ids);
  return catalog.segments().filter((segment) => {
    // A save that came since the seal has begun another segment of one's own: saves go on into it.
    if (segment.isOwn ? writer.isOpen(segment.number) : !ids.has(segment.writerId)) return false;
    if (segment.isNewer) return false;
    // Without a header and without damage nothing was ever written: what a crash left of a beginning.
    return salvage || (!segment.isMissing && segment.damages.length === 0 && segment.orphans.length === 0);
  });
}

async function replaceSources(
  context: MaintenanceContext,
  dead: DeadWriters,
  sources: readonly Segment[],
  { salvage, signal }: CompactionOptions,
): Promise<CompactionResult> {
  const { fs, layout, options, catalog, writer } = context;
  const bytesBefore = await totalBytes(fs, layout, sources);
  const plan = await planCompaction(catalog, sources, salvage);
  if (sources.length === 0 && !hasFacts(plan)) {
    return { ...(await sweep(context, dead)), bytesBefore, bytesAfter: 0 };
  }
  if (!salvage && isPacked(plan, options.segmentBytes)) {
    return { ...(await sweep(context, dead)), bytesBefore, bytesAfter: bytesBefore };
  }
  const { segmentBytes, maxChainDeltas } = options;
  const begin = () => beginOutput(context);
  const copy = new CompactionCopy({ fs, layout, segmentBytes, maxChainDeltas, salvage, signal, begin });
  let previous: Manifest;
  try {
    await copy.run(plan);
    for (const output of copy.outputs) writer.addOutput(await output.finish());
    if (copy.outputs.length > 0) await writer.heads.flush();
    previous = await readManifest(fs, layout, catalog.manifest);
  } catch (error) {
    await discard(context, copy);
    throw error;
  }
  await publishOutputs(context, previous, sources, copy);
  await catalog.moveHeld();
  const removed = await removeSources(context, sources, copy.lost);
  const lostIds = copy.lost.map((put) => put.header.id);
  writer.forgetReplaced((number) => catalog.isReplaced(segmentKey({ writerId: writer.writerId, number })));
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

/**
 * Publishes the manifest that lets the outputs take the place of the sources. A publication that reports a failure may have
 * happened all the same; then the outputs count, and are not discarded. The sources stay for a later compaction in that case.
 */
async function publishOutputs(
  context: MaintenanceContext,
  previous: Manifest,
  sources: readonly Segment[],
  copy: CompactionCopy,
): Promise<void> {
  const { fs, layout, catalog } = context;
  const adopt = async () =>
    catalog.replaceSegments(
      await readManifest(fs, layout),
      copy.outputs.map((output) => output.view),
    );
  let isTaken = false;
  try {
    isTaken = !(await publish(context, previous, sources, copy));
  } catch (error) {
    const file = layout.manifest(previous.number + 1);
    const isAbsent = await fs.stat(file).then(
      (stat) => stat === undefined,
      () => false,
    );
    // Where not even that can be told, the outputs stay: the next start reads what was published.
    await (isAbsent ? discard(context, copy) : adopt().catch(() => undefined));
    throw error;
  }
  if (!isTaken) return adopt();
  await discard(context, copy);
  throw new CkptError("CKPT_CONFLICT", {
    message: `Another process has compacted ${layout.root} meanwhile.`,
    hint: "Nothing was changed; compact again when there is need.",
    details: { path: layout.root },
  });
}

async function publish(
  { fs, layout }: MaintenanceContext,
  previous: Manifest,
  sources: readonly Segment[],
  copy: CompactionCopy,
): Promise<boolean> {
  const replaced: SegmentName[] = [];
  for (const name of previous.replaced.values())
    if (await mayStillBeThere(fs, layout, name)) replaced.push(name);
  for (const { writerId, number } of sources) replaced.push({ writerId, number });
  const outputs = copy.outputs.map(({ view }) => ({ writerId: view.writerId, number: view.number }));
  return publishManifest(fs, layout, previous, replaced, outputs);
}

/** A replaced segment must be named as long as its file, its hint or a recorded head of it may be found. */
async function mayStillBeThere(fs: FileSystem, layout: StoreLayout, name: SegmentName): Promise<boolean> {
  if ((await fs.stat(layout.segment(name))) !== undefined || (await fs.stat(layout.hint(name))) !== undefined)
    return true;
  const heads = await readHeads(fs, layout, name.writerId);
  return heads === "damaged" || (heads !== "absent" && heads.some((head) => head.number === name.number));
}

async function discard({ fs, layout, writer }: MaintenanceContext, copy: CompactionCopy): Promise<void> {
  const numbers = new Set(copy.outputs.map(({ view }) => view.number));
  for (const output of copy.outputs) {
    await output.abandon();
    await fs.unlink(layout.hint(output.view)).catch(() => undefined); // derived
    await fs.unlink(layout.segment(output.view)).catch(() => undefined); // says nothing that its sources do not say
  }
  writer.forgetReplaced((number) => numbers.has(number));
}

/** Unlinks what was replaced; what is damaged is moved aside. */
async function removeSources(
  { fs, layout }: MaintenanceContext,
  sources: readonly Segment[],
  lost: readonly PutEntry[],
) {
  const quarantined: string[] = [];
  let files = 0;
  for (const source of sources) {
    const { writerId, number } = source;
    const why = source.damages.map((region) => `${region.start}..${region.end}: ${region.why}`);
    const lostIds = lost.filter((put) => put.segment === source).map((put) => put.header.id);
    if (why.length + source.orphans.length + lostIds.length > 0) {
      if (!source.isMissing)
        quarantined.push(
          await quarantineSegment(fs, layout, { segment: { writerId, number }, why, lostIds }),
        );
    } else if (await unlinkQuietly(fs, layout.segment(source))) files++;
    if (await unlinkQuietly(fs, layout.hint(source))) files++;
  }
  for (const writerId of new Set(sources.map((source) => source.writerId))) {
    await fs.syncDirectory(layout.writer(writerId)).catch((error: unknown) => {
      if (classify(error) !== "not-found")
        throw toCkptError(error, { doing: "sync", path: layout.writer(writerId) });
    });
  }
  return { files, quarantined };
}

/** Removes directories of dead writers that hold nothing any more, and manifests that a newer one contains. */
export async function sweep({ fs, layout, catalog }: MaintenanceContext, dead: DeadWriters) {
  let removedFiles = 0;
  for (const { writerId, number } of catalog.manifest.replaced.values()) {
    // Replaced by a compaction that did not get as far as unlinking.
    if (!dead.ids.includes(writerId)) continue;
    if (await unlinkQuietly(fs, layout.segment({ writerId, number }))) removedFiles++;
    if (await unlinkQuietly(fs, layout.hint({ writerId, number }))) removedFiles++;
  }
  for (const writerId of dead.ids) removedFiles += await dead.remove(writerId);
  if (removedFiles > 0) {
    await fs.syncDirectory(layout.writers);
    await fs.syncDirectory(layout.heads);
  }
  await removeOlderManifests(fs, layout, catalog.manifest.number);
  return { removedFiles, lostIds: [], quarantined: [] };
}

async function totalBytes(
  fs: FileSystem,
  layout: StoreLayout,
  segments: readonly Segment[],
): Promise<number> {
  let bytes = 0;
  for (const segment of segments) bytes += (await fs.stat(layout.segment(segment)))?.size ?? 0;
  return bytes;
}
