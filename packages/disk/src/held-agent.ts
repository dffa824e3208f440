/** Taking an agent, and what is known while it is held. */
import { CkptError, isCkptError } from "@ckpt/errors";
import { acquireLease, type Lease as FileLease, type FileSystem } from "@ckpt/io";
import { AgentWriter } from "./agent-writer.js";
import type { Catalog } from "./catalog.js";
import type { SegmentName, StoreLayout } from "./layout.js";
import type { TakeoverSync } from "./takeover-sync.js";
import { asUnsafePath, checkDirectory, checkFile, isUnsafePath } from "./unsafe-path.js";
import type { UnreadableSegment } from "./writer-segments.js";

export interface HeldAgent {
  readonly writer: AgentWriter;
  readonly lease: FileLease;
  /** Set once a higher epoch was seen: whatever is written now would be overtaken. */
  fenced: unknown;
  /** When the lease was last compared with the files, by `performance.now()`. */
  verifiedAt: number;
  /** Which store object took it; a commit through another is refused. */
  readonly holder: object;
  readonly since: string;
}

export interface TakeContext {
  readonly fs: FileSystem;
  readonly layout: StoreLayout;
  readonly catalog: Catalog;
  readonly sync: TakeoverSync;
  readonly writerId: string;
}

/**
 * Takes the agent for this process. The lease first, then its history, so that nobody adds to it in between; what a dead writer
 * left in the page cache is synced before it is relied on.
 */
export async function takeAgent(context: TakeContext, agentId: string, holder: object): Promise<HeldAgent> {
  const { fs, layout, catalog, sync, writerId } = context;
  await checkDirectory(fs, layout.agent(agentId));
  await checkFile(fs, layout.agentLock(agentId));
  const lease = await acquireLease(layout.agent(agentId), { fs, writer: writerId, subject: agentId }).catch(
    (error: unknown) => {
      throw asUnsafePath(error, layout.agent(agentId));
    },
  );
  let isInIndex = false;
  try {
    await catalog.directory.refresh();
    const [unreadable] = catalog.directory.unreadableOf(agentId);
    if (unreadable !== undefined) throw mayHoldMore(agentId, unreadable);
    const isLiving = ({ writerId }: SegmentName) =>
      catalog.directory.writers.get(writerId)?.state === "living";
    await sync.sync(
      catalog.directory.segments().filter((segment) => segment.has(agentId)),
      isLiving,
    );
    const { number } = catalog.directory.manifest;
    const { history } = await catalog.replay(agentId);
    // A sequence that was recorded and is lost is not used again.
    history.lastSequence = Math.max(history.lastSequence, catalog.recordedSequence(agentId));
    // Where lease files were deleted their epochs begin anew; the log's do not.
    const epoch = Math.max(lease.epoch, history.epoch + 1);
    catalog.hold(history);
    isInIndex = true;
    // A compaction of this process that ended meanwhile has moved the histories that were held then.
    if (catalog.directory.manifest.number !== number) await catalog.moved();
    const writer = new AgentWriter(agentId, epoch, history);
    const { since } = lease.holder;
    return { writer, lease, holder, since, fenced: undefined, verifiedAt: performance.now() };
  } catch (error) {
    if (isInIndex) catalog.release(agentId);
    await lease.release().catch(() => undefined); // the first error is the one that matters; the OS lock is free either way
    throw error;
  }
}

/** How often the lease of an agent that is written is compared with the files, in milliseconds. */
const VERIFY_EVERY_MS = 1000;

/**
 * A second line of defence, should a lock have lied: now and then, beside the saves, looks whether someone else has a higher
 * epoch. From then on commits are refused.
 */
export function watchLease(held: HeldAgent): void {
  const now = performance.now();
  if (held.fenced !== undefined || now - held.verifiedAt < VERIFY_EVERY_MS) return;
  held.verifiedAt = now;
  held.lease.verify().catch((error: unknown) => {
    // A directory that cannot be read for a moment says nothing about the lease.
    if (isCkptError(error, "CKPT_FENCED")) held.fenced = error;
  });
}

/** The agent is held by another object in this process. */
export function heldHere(agentId: string, since: string, epoch: number | undefined): CkptError {
  return new CkptError("CKPT_LOCKED", {
    message: `Agent ${JSON.stringify(agentId)} is held by another store or manager in this process, since ${since}.`,
    hint: "Close that one first, or use it; one agent has one writer.",
    details: { agentId, holder: { pid: process.pid, since, epoch } },
  });
}

/** A segment that cannot be read may hold newer entries of the agent: going on without them would overtake them. */
function mayHoldMore(agentId: string, { path, error }: UnreadableSegment): CkptError {
  const isOdd = isUnsafePath(error);
  return new CkptError(isOdd ? "CKPT_UNSAFE_PATH" : "CKPT_IO", {
    message: `${path} cannot be read and may hold newer checkpoints of ${JSON.stringify(agentId)}; the agent is not taken.`,
    hint: isOdd
      ? "Find out who put it there and bring the segment back; else repair() moves what is there to quarantine."
      : "Look at the system log. When the disk is well again, take the agent again; else repair() moves the file to quarantine.",
    cause: error,
    details: { agentId, path },
  });
}
