/** Checks everything that can be checked by reading: docs/durability.md says what each finding means. */
import { type StoreFinding, throwIfAborted } from "@ckpt/core";
import { isCkptError } from "@ckpt/errors";
import { classify, type FileSystem, toCkptError } from "@ckpt/io";
import type { Catalog } from "./catalog.js";
import type { PutEntry } from "./entry.js";
import { missingSegment } from "./head-check.js";
import type { StoreLayout } from "./layout.js";
import { loadState } from "./load-state.js";
import type { Segment } from "./segment.js";
import { checkSegment } from "./segment-check.js";
import { lostFindings, supersededFinding, unreadableSegment } from "./segment-findings.js";
import { isUnsafePath } from "./unsafe-path.js";

export interface VerifyContext {
  readonly fs: FileSystem;
  readonly layout: StoreLayout;
  readonly catalog: Catalog;
}

export interface VerifyOptions {
  readonly sample?: number;
  readonly signal?: AbortSignal;
}

/** How often recorded heads are compared anew because others have compacted meanwhile. */
const MAX_ROUNDS = 3;

/** Streams what is wrong: recorded heads, then each segment's frames, then each checkpoint by restoring it. */
export async function* verifyStore(
  context: VerifyContext,
  options: VerifyOptions,
): AsyncGenerator<StoreFinding> {
  const { catalog } = context;
  const { signal, sample = 1 } = options;
  const isChosen = () => sample >= 1 || Math.random() < sample;
  // Also what had ended when it was looked at: others may have moved, deleted or rebuilt files since.
  await catalog.directory.open();
  await catalog.directory.refreshWriters();
  yield* catalog.directory.structuralFindings();
  for (const writerId of [...catalog.directory.writers.keys()]) yield* await headFindings(catalog, writerId);
  const named = new Set<string>();
  for (const segment of catalog.directory.segments()) {
    throwIfAborted(signal, "verify");
    if (segment.isMissing || !isChosen()) continue;
    const isLiving = !segment.isOwn && catalog.directory.writers.get(segment.writerId)?.state === "living";
    for (const finding of await check(context, segment, isLiving, signal)) {
      for (const id of finding.affectedIds) named.add(id);
      yield finding;
    }
  }
  for (const agentId of catalog.agentIds()) yield* verifyAgent(context, agentId, named, isChosen, signal);
}

/** What a writer's recorded heads say. What looks missing may have been replaced since the directory was looked at. */
async function headFindings({ directory }: Catalog, writerId: string): Promise<StoreFinding[]> {
  for (let round = 0; ; round++) {
    const writer = directory.writers.get(writerId);
    if (writer === undefined) return [];
    const { number } = directory.manifest;
    const findings = await directory.headFindings(writer);
    if (round === MAX_ROUNDS || !findings.some(({ kind }) => kind === "missing")) return findings;
    await directory.refresh();
    if (directory.manifest.number === number) return findings;
  }
}

async function check(
  context: VerifyContext,
  segment: Segment,
  isLiving: boolean,
  signal: AbortSignal | undefined,
): Promise<StoreFinding[]> {
  try {
    return await checkSegment(context, segment, isLiving, signal);
  } catch (error) {
    const kind = classify(error);
    if (kind === "damaged" || isUnsafePath(error)) return [unreadableSegment(segment.path, error)];
    if (kind === "not-found")
      return (await isThere(context.catalog, segment)) ? [missingSegment(segment)] : [];
    throw toCkptError(error, { doing: "verify", path: segment.path });
  }
}

async function* verifyAgent(
  { catalog, fs, layout }: VerifyContext,
  agentId: string,
  named: ReadonlySet<string>,
  isChosen: () => boolean,
  signal: AbortSignal | undefined,
): AsyncGenerator<StoreFinding> {
  const { history, lost, superseded } = await catalog.replay(agentId);
  if (superseded.length > 0) yield supersededFinding(agentId, superseded);
  yield* lostFindings(layout, agentId, lost);
  for (const put of [...history.puts]) {
    throwIfAborted(signal, "verify");
    if (named.has(put.header.id) || !isChosen()) continue;
    const finding = await tryLoad(fs, layout, put, signal);
    if (finding === undefined) continue;
    // Compaction may have moved or dropped it since its place was looked up.
    if (finding.kind === "missing" && !(await isThere(catalog, put.segment))) continue;
    yield finding;
  }
}

/** Whether the segment still counts. */
async function isThere({ directory }: Catalog, segment: unknown): Promise<boolean> {
  await directory.refresh();
  return directory.segments().some((known) => known === segment);
}

async function tryLoad(
  fs: FileSystem,
  layout: StoreLayout,
  put: PutEntry,
  signal: AbortSignal | undefined,
): Promise<StoreFinding | undefined> {
  try {
    await loadState(fs, layout, put, { signal });
    return undefined;
  } catch (error) {
    const isDamage = isCkptError(error, "CKPT_CORRUPT") || isCkptError(error, "CKPT_LIMIT");
    if (!isDamage && !isCkptError(error, "CKPT_NOT_FOUND")) throw error;
    return {
      kind: isDamage ? "damaged" : "missing",
      place: `${layout.segment(put.segment)}:${put.offset}`,
      message: error.message,
      affectedIds: [put.header.id],
      remedy: error.hint ?? "",
    };
  }
}
