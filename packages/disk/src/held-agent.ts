/** Taking an agent, and what is known while it is held. */
import { CkptError } from "@ckpt/errors";
import { acquireLease, type Lease as FileLease, type FileSystem } from "@ckpt/io";
import { AgentWriter } from "./agent-writer.js";
import type { Catalog } from "./catalog.js";
import type { StoreLayout } from "./layout.js";
import type { TakeoverSync } from "./takeover-sync.js";
import { checkDirectory } from "./unsafe-path.js";

export interface HeldAgent {
  readonly writer: AgentWriter;
  readonly lease: FileLease;
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
  const lease = await acquireLease(layout.agent(agentId), { fs, writer: writerId, subject: agentId });
  try {
    await catalog.refresh();
    await sync.sync(catalog.segments().filter((segment) => segment.has(agentId)));
    const { history } = await catalog.replay(agentId);
    // A sequence that was recorded and is lost is not used again.
    history.lastSequence = Math.max(history.lastSequence, catalog.recordedSequence(agentId));
    // Where lease files were deleted their epochs begin anew; the log's do not.
    const epoch = Math.max(lease.epoch, history.epoch + 1);
    catalog.hold(history);
    return { writer: new AgentWriter(agentId, epoch, history), lease, holder, since: lease.holder.since };
  } catch (error) {
    await lease.release().catch(() => undefined); // the first error is the one that matters; the OS lock is free either way
    throw error;
  }
}

/** The agent is held by another object in this process. */
export function heldHere(agentId: string, since: string, epoch: number | undefined): CkptError {
  return new CkptError("CKPT_LOCKED", {
    message: `Agent ${JSON.stringify(agentId)} is held by another store or manager in this process, since ${since}.`,
    hint: "Close that one first, or use it; one agent has one writer.",
    details: { agentId, holder: { pid: process.pid, since, epoch } },
  });
}
