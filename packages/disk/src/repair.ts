/**
 * Puts right what reading has found wrong, under the maintenance lease, and only in what is ours or a dead writer's. Nothing
 * is deleted: damaged files are moved to quarantine, with a note that names what was lost.
 */
import { throwIfAborted } from "@ckpt/core";
import { classify, type FileSystem } from "@ckpt/io";
import type { Catalog } from "./catalog.js";
import { encodeCheckedJson, publishFile } from "./checked-json.js";
import { compactHeld } from "./compaction.js";
import type { DeadWriters } from "./dead-writers.js";
import type { StoreLayout } from "./layout.js";
import type { MaintenanceContext } from "./maintenance.js";
import { quarantineFile } from "./quarantine.js";
import { headSteps } from "./repair-heads.js";
import type { Segment } from "./segment.js";
import { unreadableSegment } from "./segment-findings.js";
import { FORMAT_VERSION } from "./segment-header.js";
import type { SegmentScan } from "./segment-scan.js";
import { syncFile } from "./sync-file.js";
import { isUnsafePath } from "./unsafe-path.js";
import type { WriterSegments } from "./writer-segments.js";

/** One thing that `repair` did, or in a dry run would do. */
export interface RepairAction {
  /**
   * `rebuild`: a derived file is written anew. `salvage`: a damaged segment is copied as far as it can be read, and moved to
   * quarantine. `record`: a loss of which there are no bytes is written down. `leave`: it is left alone, because its writer lives, or because
   * it cannot be read now and may be whole; that is a finding as well.
   */
  readonly kind: "rebuild" | "salvage" | "record" | "leave";
  readonly place: string;
  readonly message: string;
}

export interface RepairReport {
  readonly dryRun: boolean;
  readonly actions: readonly RepairAction[];
  /** Checkpoints that could not be kept. Empty in a dry run. */
  readonly lostIds: readonly string[];
  /** Files that were moved to quarantine. */
  readonly quarantined: readonly string[];
}

/** A step of a repair: what it says, and how it is done. Resolves to what was moved to quarantine, or to what was done instead. */
export interface RepairStep {
  readonly action: RepairAction;
  run?(): Promise<string | RepairAction | undefined>;
}

/** What the plan needs; for a dry run nothing that writes. */
export interface RepairContext {
  readonly fs: FileSystem;
  readonly layout: StoreLayout;
  readonly catalog: MaintenanceContext["catalog"];
}

export async function planRepair(
  context: RepairContext,
  signal: AbortSignal | undefined,
): Promise<RepairReport> {
  await context.catalog.directory.refreshWriters();
  const { steps } = await collect(context, (writer) => writer.state === "ended", signal);
  return { dryRun: true, actions: steps.map(({ action }) => action), lostIds: [], quarantined: [] };
}

/** Repairs under a lease that the caller holds. */
export async function repairHeld(
  context: MaintenanceContext,
  dead: DeadWriters,
  signal: AbortSignal | undefined,
): Promise<RepairReport> {
  const { catalog, writer } = context;
  await writer.log.seal();
  for (const writerId of catalog.directory.writers.keys()) await dead.take(writerId);
  await catalog.directory.refreshWriters();
  // Of one whose directory is gone there is no lease to take, and nothing that it could write to.
  const isDead = ({ writerId, place }: WriterSegments) => dead.ids.includes(writerId) || place === "gone";
  const { steps, damaged } = await collect(context, isDead, signal);
  const quarantined: string[] = [];
  const actions: RepairAction[] = [];
  for (const { action, run } of steps) {
    const done = await run?.();
    if (typeof done === "string") quarantined.push(done);
    actions.push(typeof done === "object" ? done : action);
  }
  const result = await compactHeld(context, dead, {
    signal,
    salvage: true,
    only: (segment) => damaged.has(segment.key),
  });
  await catalog.forgetLost(result.lostIds);
  return {
    dryRun: false,
    actions,
    lostIds: result.lostIds,
    quarantined: [...quarantined, ...result.quarantined],
  };
}

async function collect(
  context: RepairContext,
  isDead: (writer: WriterSegments) => boolean,
  signal: AbortSignal | undefined,
): Promise<{ steps: RepairStep[]; damaged: Set<string> }> {
  const { catalog } = context;
  const damaged = new Set<string>();
  const steps: RepairStep[] = await fileSteps(context, isDead, damaged);
  for (const segment of catalog.directory.segments()) {
    throwIfAborted(signal, "repair");
    const writer = catalog.directory.writers.get(segment.writerId);
    const isOurs = segment.isOwn ? !segment.isOpen : writer !== undefined && isDead(writer);
    const step = await segmentStep(context, segment, isOurs, signal);
    if (step === undefined) continue;
    steps.push(step);
    if (step.action.kind === "salvage" || step.action.kind === "record") damaged.add(segment.key);
  }
  for (const writer of catalog.directory.writers.values())
    if (isDead(writer)) steps.push(...(await headSteps(context, writer)));
  return { steps, damaged };
}

/** Whether an error tells of a device that fails, or of something in the place of a file. */
function isUnreadable(error: unknown): boolean {
  return classify(error) === "damaged" || isUnsafePath(error);
}

/** What cannot be read now may be whole: it stays where it is, and is reported. */
function leftUnread(catalog: Catalog, place: string, error: unknown): RepairAction {
  const finding = unreadableSegment(place, error);
  catalog.report(finding);
  return { kind: "leave", place, message: `${finding.message}; it is left alone.` };
}

/** Files that cannot be read at all: manifests, segments, `FORMAT`. */
async function fileSteps(
  { fs, layout, catalog }: RepairContext,
  isDead: (writer: WriterSegments) => boolean,
  damaged: Set<string>,
): Promise<RepairStep[]> {
  const steps: RepairStep[] = [];
  for (const number of catalog.directory.manifest.damaged) {
    const place = layout.manifest(number);
    const message = "The damaged manifest is moved to quarantine; compacted segments count without it.";
    steps.push({ action: { kind: "rebuild", place, message }, run: () => quarantineFile(fs, layout, place) });
  }
  for (const writer of catalog.directory.writers.values()) {
    if (writer.place === "foreign") {
      const place = layout.writer(writer.writerId);
      const message = "This is no directory of the store, and is left alone; so is what heads say was in it.";
      steps.push({ action: { kind: "leave", place, message } });
    }
    const known = new Set([...writer.segments.values()].map(({ path }) => path));
    for (const { path: place, key } of isDead(writer) ? writer.unreadable.values() : []) {
      // Of one that could be read before, what can be read now is looked at on its own.
      if (known.has(place)) continue;
      // Once it has been moved, its hint says what is missing.
      damaged.add(key);
      const message = "The segment cannot be read at all; it is moved to quarantine.";
      steps.push({
        action: { kind: "salvage", place, message },
        run: () => quarantineFile(fs, layout, place),
      });
    }
  }
  const { storeId } = catalog.directory;
  if (catalog.directory.isFormatDamaged && storeId !== undefined) {
    const place = layout.formatFile;
    const run = async () => {
      const moved = await quarantineFile(fs, layout, place);
      await publishFile(fs, place, encodeCheckedJson({ format: FORMAT_VERSION, storeId }));
      return moved;
    };
    steps.push({
      action: { kind: "rebuild", place, message: "FORMAT is written anew from what the segments say." },
      run,
    });
  }
  return steps;
}

async function segmentStep(
  { fs, layout, catalog }: RepairContext,
  segment: Segment,
  isOurs: boolean,
  signal: AbortSignal | undefined,
): Promise<RepairStep | undefined> {
  const place = segment.path;
  let scan: SegmentScan | undefined;
  try {
    if (!segment.isMissing) scan = await readAnew(segment, signal);
  } catch (error) {
    if (isUnreadable(error)) return { action: leftUnread(catalog, place, error) };
    if (classify(error) !== "not-found") throw error;
    await catalog.directory.refresh();
    // Where another process compacts, a file may go that was just listed.
    if (!catalog.directory.segments().includes(segment)) return undefined;
    segment.isMissing = true;
  }
  if (scan === undefined) {
    const message = "The segment is gone; what is known of it is written down as lost.";
    return { action: { kind: isOurs ? "record" : "leave", place, message } };
  }
  if (scan.damages.length + scan.orphans.length > 0) {
    segment.noteDamage(scan);
    const message = isOurs
      ? "What can be read is copied to a fresh segment, and the damaged one moved to quarantine."
      : "The segment is damaged and its writer lives: left alone.";
    return { action: { kind: isOurs ? "salvage" : "leave", place, message } };
  }
  if (!isOurs || (await segment.adoptHint())) return undefined;
  const hint = layout.hint(segment);
  const run = async () => {
    try {
      // Who takes an agent over relies on what a hint names: it has to be on the disk, and may be in the page cache only.
      await syncFile(fs, place);
    } catch (error) {
      if (isUnreadable(error)) return leftUnread(catalog, place, error);
      throw error;
    }
    const moved = (await fs.stat(hint)) === undefined ? undefined : await quarantineFile(fs, layout, hint);
    await segment.writeHint();
    return moved;
  };
  return {
    action: { kind: "rebuild", place: hint, message: "The hint is written anew from the segment." },
    run,
  };
}

/** Reads the segment. What failed once has not told anything yet. */
async function readAnew(segment: Segment, signal: AbortSignal | undefined): Promise<SegmentScan> {
  try {
    return await segment.rescan(signal);
  } catch (error) {
    if (classify(error) !== "damaged") throw error;
    return segment.rescan(signal);
  }
}
