/** One opened directory in one process: what all its store objects share. */
import {
  type AgentState,
  type CheckpointHeader,
  type CommitReceipt,
  checkpointNotFound,
  type HeaderQuery,
  type Lease,
  type Snapshot,
  type StoreEntry,
  type StoreFinding,
  throwIfAborted,
  validateAgentId,
} from "@ckpt/core";
import { CkptError, isCkptError } from "@ckpt/errors";
import { type FileSystem, toCkptError } from "@ckpt/io";
import type { AgentWriter } from "./agent-writer.js";
import { BatchCheck, type BatchLimits } from "./batch-check.js";
import { Catalog } from "./catalog.js";
import type { PutEntry } from "./entry.js";
import { Findings } from "./findings.js";
import { Gate } from "./gate.js";
import { type HeldAgent, heldHere, takeAgent, watchLease } from "./held-agent.js";
import { StoreLayout } from "./layout.js";
import { type LoadOptions, loadState } from "./load-state.js";
import { checkFileSystem } from "./network-file-system.js";
import type { ResolvedOptions } from "./options.js";
import { OwnWriter } from "./own-writer.js";
import type { PendingCommit } from "./pending-commit.js";
import { harmless, type OnProgress } from "./progress.js";
import { notHeld } from "./refusals.js";
import { StoreMaintenance } from "./store-maintenance.js";
import { TakeoverSync } from "./takeover-sync.js";
import { type VerifyOptions, verifyStore } from "./verify.js";

/** States assembled at a time: bounds memory. */
const PARALLEL_LOADS = 4;

export class StoreCore {
  readonly fs: FileSystem;
  readonly layout: StoreLayout;
  readonly options: ResolvedOptions;
  readonly findings = new Findings();
  readonly catalog: Catalog;
  readonly maintenance: StoreMaintenance;
  readonly #sync: TakeoverSync;
  readonly #limits: BatchLimits;
  readonly #loads = new Gate(PARALLEL_LOADS);
  /** Puts that a read could not give back whole. */
  readonly #damagedPuts = new WeakSet<PutEntry>();
  readonly #held = new Map<string, HeldAgent>();
  readonly #taking = new Set<string>();
  #writer: OwnWriter | undefined;
  #beginning: Promise<OwnWriter> | undefined;

  constructor(root: string, options: ResolvedOptions) {
    this.fs = options.fs;
    this.layout = new StoreLayout(root);
    this.options = options;
    this.catalog = new Catalog({ fs: this.fs, layout: this.layout }, this.findings);
    this.#sync = new TakeoverSync(this.fs, this.findings);
    this.#limits = {
      ...options,
      isTrusted: (put) =>
        !this.#damagedPuts.has(put) && this.#sync.isTrusted(`${put.segment.writerId}/${put.segment.number}`),
    };
    const { fs, layout, catalog, findings } = this;
    const writer = () => this.writer();
    this.maintenance = new StoreMaintenance({ fs, layout, options, catalog, findings, writer });
  }

  /** The writer of this process, begun at the first need. */
  writer(): Promise<OwnWriter> {
    if (this.#writer !== undefined) return Promise.resolve(this.#writer);
    this.#beginning ??= this.#begin().finally(() => {
      this.#beginning = undefined;
    });
    return this.#beginning;
  }

  async #begin(): Promise<OwnWriter> {
    await this.catalog.directory.open();
    await checkFileSystem(this.layout.root, this.options);
    const { fs, layout, options, catalog, findings } = this;
    this.#writer = await OwnWriter.begin({
      fs,
      layout,
      options,
      catalog,
      findings,
      onCommit: (commit) => this.#committed(commit),
    });
    return this.#writer;
  }

  async acquire(agentId: string, holder: object): Promise<Lease> {
    validateAgentId(agentId);
    const former = this.#held.get(agentId);
    if (former !== undefined) throw heldHere(agentId, former.since, former.writer.epoch);
    if (this.#taking.has(agentId)) throw heldHere(agentId, "just now", undefined);
    this.#taking.add(agentId);
    try {
      const { writerId } = await this.writer();
      await this.maintenance.relieve();
      const { fs, layout, catalog } = this;
      const held = await takeAgent({ fs, layout, catalog, sync: this.#sync, writerId }, agentId, holder);
      this.#held.set(agentId, held);
      return { agentId, epoch: held.writer.epoch, release: () => this.#release(held) };
    } catch (error) {
      throw toCkptError(error, { doing: `acquire ${JSON.stringify(agentId)} in`, path: this.layout.root });
    } finally {
      this.#taking.delete(agentId);
    }
  }

  #committed(commit: PendingCommit): void {
    for (const { agentId } of commit.writers) {
      const held = this.#held.get(agentId);
      if (held !== undefined) watchLease(held);
    }
    this.maintenance.consider();
  }

  async #release(held: HeldAgent): Promise<void> {
    const { agentId } = held.writer;
    if (this.#held.get(agentId) === held) {
      // From here on commits are refused; those under way are finished first.
      this.#held.delete(agentId);
      await held.writer.settled();
      // Who takes the agent next must not go on from a save that was rejected.
      await this.#writer?.settleVoids();
      this.catalog.release(agentId);
    }
    await held.lease.release();
  }

  /** Gives back every agent that `holder` took. */
  async releaseAll(holder: object): Promise<void> {
    const mine = [...this.#held.values()].filter((held) => held.holder === holder);
    const results = await Promise.allSettled(mine.map((held) => this.#release(held)));
    for (const result of results) if (result.status === "rejected") throw result.reason;
  }

  /** The synchronous part (checks, numbers, capture) is done when this returns. */
  commit(
    entries: readonly StoreEntry[],
    holder: object,
    onProgress: OnProgress | undefined,
  ): Promise<CommitReceipt> {
    const check = new BatchCheck((agentId) => this.#writerOf(agentId, holder), this.#limits);
    const { commit, puts } = check.check(entries);
    if (commit !== undefined) {
      commit.onProgress = harmless(onProgress);
      this.#writer!.log.submit(commit);
    }
    return this.#receipt(commit?.done, puts);
  }

  async #receipt(
    done: Promise<number> | undefined,
    puts: ReturnType<BatchCheck["check"]>["puts"],
  ): Promise<CommitReceipt> {
    const bytesWritten = done === undefined ? 0 : await done;
    const headers: CheckpointHeader[] = [];
    for (const put of puts) {
      // The same checkpoint, put again while its first commit was under way: as durable as that one.
      if ("commit" in put) await put.commit?.done;
      headers.push(put.header!);
    }
    return { durability: "durable", bytesWritten, headers };
  }

  #writerOf(agentId: string, holder: object): AgentWriter {
    const held = this.#held.get(agentId);
    if (held === undefined || held.holder !== holder) throw notHeld(agentId);
    if (held.fenced !== undefined) throw held.fenced;
    return held.writer;
  }

  async list(agentId: string, query: HeaderQuery): Promise<CheckpointHeader[]> {
    return (await this.#history(agentId))?.list(query) ?? [];
  }

  async get(agentId: string, id: string): Promise<CheckpointHeader | undefined> {
    return (await this.#history(agentId))?.find(id)?.header;
  }

  async agent(agentId: string): Promise<AgentState | undefined> {
    const state = (await this.#history(agentId))?.state();
    if (state === undefined || this.catalog.isHeld(agentId)) return state;
    return { ...state, lastSequence: Math.max(state.lastSequence, this.catalog.recordedSequence(agentId)) };
  }

  async agents(): Promise<string[]> {
    await this.#look();
    return this.catalog.agentIds();
  }

  takeFindings(): StoreFinding[] {
    return this.findings.take();
  }

  async load(agentId: string, id: string, options: LoadOptions): Promise<Snapshot> {
    const put = (await this.#history(agentId))?.find(id);
    if (put === undefined) throw checkpointNotFound(agentId, id);
    const how = { ...options, onProgress: harmless(options.onProgress) };
    return this.#loads.run(async () => {
      throwIfAborted(options.signal, "load");
      try {
        return await loadState(this.fs, this.layout, put, how);
      } catch (error) {
        return this.#loadOtherwise(put, error, how);
      }
    });
  }

  /** The file is gone or damaged: compaction may have moved the checkpoint, or its writer may still have it in memory. */
  async #loadOtherwise(put: PutEntry, error: unknown, options: LoadOptions): Promise<Snapshot> {
    const { agentId, id } = put.header;
    if (!isCkptError(error, "CKPT_NOT_FOUND") && !isCkptError(error, "CKPT_CORRUPT")) throw error;
    const moved = await this.#reading(this.catalog.locate(agentId, id));
    if (moved === undefined) throw checkpointNotFound(agentId, id);
    if (moved.segment !== put.segment) return loadState(this.fs, this.layout, moved, options);
    // Put again by who has a good copy, it is written again.
    this.#damagedPuts.add(moved);
    const damage = isCkptError(error, "CKPT_CORRUPT") ? error : missingSegment(error, put, this.layout);
    this.findings.add({
      kind: isCkptError(error, "CKPT_CORRUPT") ? "damaged" : "missing",
      place: `${String(damage.details.path)}:${String(damage.details.at ?? put.offset)}`,
      message: damage.message,
      affectedIds: [id],
      remedy: damage.hint ?? "",
    });
    this.#writer?.log.leave(this.layout.segment(moved.segment));
    const base = this.#held.get(agentId)?.writer.base;
    if (base?.put !== put) throw damage;
    // The writer still has the state: it is served, and written whole with the next save, which begins another segment.
    return base.snapshot;
  }

  async *verify(options: VerifyOptions): AsyncGenerator<StoreFinding> {
    const { fs, layout, catalog } = this;
    try {
      for await (const finding of verifyStore({ fs, layout, catalog }, options)) {
        this.#writer?.log.leave(finding.place);
        yield finding;
      }
    } catch (error) {
      throw toCkptError(error, { doing: "verify the store in", path: layout.root });
    }
  }

  /** The agent's history, as new as the call for an agent that others may write. */
  async #history(agentId: string) {
    if (!this.catalog.isHeld(agentId)) await this.#look();
    return this.#reading(this.catalog.history(agentId));
  }

  #look(): Promise<void> {
    return this.#reading(this.catalog.directory.refresh());
  }

  async #reading<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      throw toCkptError(error, { doing: "read the store in", path: this.layout.root });
    }
  }

  /** Finishes what was submitted and gives the writer's directory back. */
  async close(): Promise<void> {
    await this.maintenance.stop();
    const writer = this.#writer ?? (await this.#beginning?.catch(() => undefined));
    await writer?.close();
  }
}

function missingSegment(cause: unknown, put: PutEntry, layout: StoreLayout): CkptError {
  const path = layout.segment(put.segment);
  return new CkptError("CKPT_CORRUPT", {
    message: `The checkpoint ${JSON.stringify(put.header.id)} cannot be restored: its segment ${path} is missing.`,
    hint: "Bring the file back from a copy, restore an older checkpoint, or read from a mirror.",
    cause,
    details: { agentId: put.agentId, checkpointId: put.header.id, path },
  });
}
