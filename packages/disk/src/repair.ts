/**
 * Puts right what reading has found wrong, under the maintenance lease, and only in what is ours or a dead writer's. Nothing
 * is deleted: damaged files are moved to quarantine, with a note that names what was lost.
 */
import { throwIfAborted } from "@ckpt/core";
import { classify, type FileSystem } from "@ckpt/io";
import { encodeCheckedJson, publishFile } from "./checked-json.js";
import { compactHeld } from "./compaction.js";
import type { DeadWriters } from "./dead-writers.js";
import { writeHeads } from "./heads.js";
import type { StoreLayout } from "./layout.js";
import type { MaintenanceContext } from "./maintenance.js";
import { quarantineFile, recordLoss } from "./quarantine.js";
import type { Segment } from "./segment.js";
import { FORMAT_VERSION } from "./segment-header.js";
import { syncFile } from "./sync-file.js";
import type { WriterSegments } from "./writer-segments.js";

/** One thing that `repair` did, or in a dry run would do. */
export interface RepairAction {
  /**
   * `rebuild`: a derived file is written anew. `salvage`: a damaged segment is copied as far as it can be read, and moved to
   * quarantine. `record`: a loss of which there are no bytes is written down. `leave`: the segment's writer lives; it is left alone.
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

/** A step of a repair: what it says, and how it is done. */
interface Step {
  readonly action: RepairAction;
  run?(): Promise<string | undefined>;
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
  await catalog.directory.refreshWriters(dead.ids);
  const isDead = ({ writerId }: WriterSegments) => dead.ids.includes(writerId);
  const { steps, damaged } = await collect(context, isDead, signal);
  const quarantined: string[] = [];
  for (const step of steps) {
    const moved = await step.run?.();
    if (moved !== undefined) quarantined.push(moved);
  }
  const result = await compactHeld(context, dead, {
    signal,
    salvage: true,
    only: (segment) => damaged.has(segment.key),
  });
  return {
    dryRun: false,
    actions: steps.map(({ action }) => action),
    lostIds: result.lostIds,
    quarantined: [...quarantined, ...result.quarantined],
  };
}

async function collect(
  context: RepairContext,
  isDead: (writer: WriterSegments) => boolean,
  signal: AbortSignal | undefined,
): Promise<{ steps: Step[]; damaged: Set<string> }> {
  const { catalog } = context;
  const steps: Step[] = await fileSteps(context, isDead);
  const damaged = new Set<string>();
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

/** Files that cannot be read at all: manifests, segments, `FORMAT`. */
async function fileSteps(
  { fs, layout, catalog }: RepairContext,
  isDead: (writer: WriterSegments) => boolean,
): Promise<Step[]> {
  const steps: Step[] = [];
  for (const number of catalog.directory.manifest.damaged) {
    const place = layout.manifest(number);
    const message = "The damaged manifest is moved to quarantine; compacted segments count without it.";
    steps.push({ action: { kind: "rebuild", place, message }, run: () => quarantineFile(fs, layout, place) });
  }
  for (const writer of catalog.directory.writers.values()) {
    for (const place of isDead(writer) ? writer.unreadable.keys() : []) {
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
  { fs, layout }: RepairContext,
  segment: Segment,
  isOurs: boolean,
  signal: AbortSignal | undefined,
): Promise<Step | undefined> {
  const place = segment.path;
  if (segment.isMissing) {
    const message = "The segment is gone; what its hint says it held is written down as lost.";
    return { action: { kind: isOurs ? "record" : "leave", place, message } };
  }
  const scan = await segment.rescan(signal);
  if (scan.damages.length + scan.orphans.length > 0) {
    segment.noteDamage(scan);
    const message = isOurs
      ? "What can be read is copied to a fresh segment, and the damaged one moved to quarantine."
      : "The segment is damaged and its writer lives: left alone.";
    return { action: { kind: isOurs ? "salvage" : "leave", place, message } };
  }
  if (!isOurs || segment.hasHint) return undefined;
  const hint = layout.hint(segment);
  const run = async () => {
    // Who takes an agent over relies on what a hint names: it has to be on the disk, and may be in the page cache only.
    await syncFile(fs, segment.path);
    const moved = (await fs.stat(hint)) === undefined ? undefined : await quarantineFile(fs, layout, hint);
    await segment.writeHint();
    return moved;
  };
  return {
    action: { kind: "rebuild", place: hint, message: "The hint is written anew from the segment." },
    run,
  };
}

/** Heads of a dead writer that are damaged, or name what is not there any more. */
async function headSteps({ fs, layout, catalog }: RepairContext, writer: WriterSegments): Promise<Step[]> {
  const findings = await catalog.directory.headFindings(writer);
  const wrong = findings.filter(({ kind }) => kind !== "stale" || writer.heads !== "damaged");
  if (wrong.length === 0 && writer.heads !== "damaged") return [];
  const place = layout.headsFile(writer.writerId);
  const lostIds = findings.flatMap(({ affectedIds }) => affectedIds);
  const run = async () => {
    let moved: string | undefined;
    if (writer.heads === "damaged") moved = await quarantineFile(fs, layout, place);
    else {
      const why = findings.map(({ message }) => message);
      await recordLoss(fs, layout, { segment: { writerId: writer.writerId, number: 1 }, why, lostIds });
    }
    const segments = [...writer.segments.values()].filter((segment) => !segment.isMissing);
    await writeHeads(fs, layout, writer.writerId, segments.map(headOf)).catch((error: unknown) => {
      // A writer whose directory is about to go needs no heads.
      if (classify(error) !== "not-found") throw error;
    });
    return moved;
  };
  const message =
    "The heads are written anew from the segments, and what they named and is gone is written down as lost.";
  return [{ action: { kind: "rebuild", place, message }, run }];
}

function headOf(segment: Segment) {
  const agents = new Map<string, readonly [number, number]>();
  for (const agentId of segment.agentIds()) {
    const sum = segment.summary(agentId);
    if (sum !== undefined && sum.firstSequence > 0)
      agents.set(agentId, [sum.firstSequence, sum.lastSequence]);
  }
  return { number: segment.number, end: segment.end, sealed: true, agents };
}
