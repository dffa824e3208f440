import path from "node:path";
import {
  type AgentState,
  asyncDispose,
  type CheckpointHeader,
  type CheckpointStore,
  type CommitReceipt,
  type CompactionReport,
  type HeaderQuery,
  type Lease,
  type Snapshot,
  type StoreCapabilities,
  type StoreEntry,
  type StoreFinding,
  throwIfAborted,
} from "@ckpt/core";
import { toCkptError } from "@ckpt/io";
import { type DiskStoreOptions, type ResolvedOptions, resolveOptions } from "./options.js";
import type { OnProgress } from "./progress.js";
import { closed, invalid } from "./refusals.js";
import { type CoreUse, useCore } from "./registry.js";
import type { RepairReport } from "./repair.js";
import type { StoreCore } from "./store-core.js";

interface Abortable {
  readonly signal?: AbortSignal;
}

/** Options of the calls that write or read states. */
export interface TransferOptions extends Abortable {
  /** Told how far a large state has been written or read; small ones go in one piece. Fails nothing when it throws: see {@link OnProgress}. */
  readonly onProgress?: OnProgress;
}

/**
 * The checkpoint store on disk: a log of checksummed frames, keyframes and deltas, one directory. docs/format.md says what it
 * writes, docs/durability.md what it promises.
 *
 * The constructor touches no file. The first call opens the directory, only reading; the first `acquire` creates what is missing.
 * Store objects on one directory in one process share one log; several processes may share a directory, each agent with one
 * writer at a time. Receipts say `durable`: such a commit survives a kill, a power cut and a reopen.
 *
 * Rejects with the codes of {@link DiskStoreCode}; what each method rejects with is said at the store port.
 */
export class DiskStore implements CheckpointStore {
  readonly supports: StoreCapabilities = Object.freeze({
    durable: true,
    leases: true,
    fencing: false,
    maintenance: true,
  });
  /** The directory as it was given. */
  readonly directory: string;
  /** Where it is, whatever becomes of the working directory. */
  readonly #path: string;
  readonly #options: ResolvedOptions;
  #opening: Promise<CoreUse> | undefined;
  #use: CoreUse | undefined;
  #closing: Promise<void> | undefined;
  readonly #acquiring = new Set<Promise<Lease>>();

  /**
   * A relative directory is one below the working directory of this moment. Throws `CKPT_INVALID_ARGUMENT` for an option or directory that
   * is none.
   */
  constructor(directory: string, options: DiskStoreOptions = {}) {
    if (typeof directory !== "string" || directory === "" || directory.includes("\0")) {
      throw invalid("directory", "A store needs the path of a directory.");
    }
    this.directory = directory;
    this.#path = absolute(directory);
    this.#options = resolveOptions(options);
  }

  /**
   * Rejects also with `CKPT_NO_SPACE`, `CKPT_NO_PERMISSION` and `CKPT_IO` when the batch could not be made durable in a fresh
   * segment either; then it is not there, except whole after a crash, and the store can be used on. A signal that fires
   * after the call has begun does not take the commit back.
   */
  async commit(entries: readonly StoreEntry[], options: TransferOptions = {}): Promise<CommitReceipt> {
    throwIfAborted(options.signal, "commit");
    // No wait before the capture: a commit needs a lease, and whoever has one has opened the store.
    const core = this.#use === undefined ? await this.#core("commit") : this.#opened("commit");
    return await core.commit(entries, this, options.onProgress);
  }

  async list(agentId: string, query: HeaderQuery = {}): Promise<CheckpointHeader[]> {
    return (await this.#core("list")).list(agentId, query);
  }

  async get(agentId: string, id: string): Promise<CheckpointHeader | undefined> {
    return (await this.#core("get")).get(agentId, id);
  }

  async load(agentId: string, id: string, options: TransferOptions = {}): Promise<Snapshot> {
    throwIfAborted(options.signal, "load");
    return (await this.#core("load")).load(agentId, id, options);
  }

  async agent(agentId: string): Promise<AgentState | undefined> {
    return (await this.#core("agent")).agent(agentId);
  }

  async agents(): Promise<string[]> {
    return (await this.#core("agents")).agents();
  }

  async acquire(agentId: string): Promise<Lease> {
    // From the first moment, not from when the store is open: a close() that comes in between must know of it.
    const acquiring = this.#acquire(agentId);
    this.#acquiring.add(acquiring);
    try {
      return await acquiring;
    } finally {
      this.#acquiring.delete(acquiring);
    }
  }

  async #acquire(agentId: string): Promise<Lease> {
    return (await this.#core("acquire")).acquire(agentId, this);
  }

  async *verify(options: { sample?: number; signal?: AbortSignal } = {}): AsyncGenerator<StoreFinding> {
    throwIfAborted(options.signal, "verify");
    yield* (await this.#core("verify")).verify(options);
  }

  /**
   * Gives back the space of what was removed, and folds the directories of dead writers into one's own.
   *
   * `maxBytes` bounds the work: then only dead writers are folded, the smallest first, as many as hold about so many bytes between
   * them (at least two, at most 16), and the others are left for the next time.
   *
   * While this process keeps saving, a compaction without `maxBytes` takes about a ninth of the time, so that saves hardly notice it;
   * `close()` ends it.
   *
   * Rejects with `CKPT_LOCKED` when another process maintains the store, `CKPT_CONFLICT` when another has compacted meanwhile,
   * `CKPT_ABORTED` by `signal`, `CKPT_CLOSED` by `close()`, `CKPT_INVALID_ARGUMENT` for a `maxBytes` below zero, and with the codes of file
   * errors. Nothing is lost then.
   */
  async compact(
    options: { readonly signal?: AbortSignal; readonly maxBytes?: number } = {},
  ): Promise<CompactionReport> {
    throwIfAborted(options.signal, "compact");
    const { maxBytes } = options;
    if (maxBytes !== undefined && !(maxBytes >= 0))
      throw invalid(
        "maxBytes",
        `compact() was given ${String(maxBytes)} as maxBytes, which is no number of bytes.`,
      );
    return (await this.#core("compact")).maintenance.compact(options);
  }

  /**
   * Puts right what {@link verify} finds, where that is possible: rebuilds hints, heads and other derived files, copies what can
   * be read of damaged segments and moves those to `quarantine/` with a note. Nothing is deleted, and segments of living writers
   * are left alone. With `dryRun` nothing is written: the report is the plan.
   *
   * Rejects with `CKPT_LOCKED` when another process maintains the store, `CKPT_ABORTED` by `signal`, `CKPT_CLOSED` by `close()`, and with the
   * codes of file errors.
   */
  async repair(
    options: { readonly dryRun?: boolean; readonly signal?: AbortSignal } = {},
  ): Promise<RepairReport> {
    throwIfAborted(options.signal, "repair");
    const { maintenance } = await this.#core("repair");
    return options.dryRun === true ? maintenance.plan(options.signal) : maintenance.repair(options.signal);
  }

  takeFindings(): StoreFinding[] {
    if (this.#closing !== undefined) throw closed("takeFindings");
    return this.#use?.core.takeFindings() ?? [];
  }

  /** Finishes the commits under way, gives the leases back, and closes the directory with the last store object on it. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async [asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    const use = this.#use ?? (await this.#opening?.catch(() => undefined));
    if (use === undefined) return;
    // A lease that is being taken must not be left behind.
    await Promise.allSettled(this.#acquiring);
    try {
      await use.core.releaseAll(this);
    } finally {
      await use.close();
    }
  }

  async #core(call: string): Promise<StoreCore> {
    if (this.#closing !== undefined) throw closed(call);
    this.#opening ??= useCore(this.#path, this.#options);
    try {
      this.#use = await this.#opening;
    } catch (error) {
      this.#opening = undefined;
      throw toCkptError(error, { doing: "open the store in", path: this.directory });
    }
    return this.#opened(call);
  }

  #opened(call: string): StoreCore {
    if (this.#closing !== undefined) throw closed(call);
    return this.#use!.core;
  }
}

function absolute(directory: string): string {
  try {
    return path.resolve(directory);
  } catch (error) {
    // The working directory is gone.
    throw toCkptError(error, { doing: "find the directory", path: directory });
  }
}
