import { type SignalOption, throwIfAborted } from "./abort.js";
import { asyncDispose } from "./async-dispose.js";
import type { Checkpoint, SavedCheckpoint } from "./checkpoint.js";
import type { CheckpointHeader, Json } from "./checkpoint-header.js";
import { exportDocument } from "./export-document.js";
import { type ImportedEntry, type ImportOptions, readImport } from "./import-document.js";
import { importBatch, planImport } from "./import-plan.js";
import { unlessRemoved } from "./listed-state.js";
import { ManagerBase } from "./manager-base.js";
import type { ManagerEvents } from "./manager-events.js";
import { checkpointNotFound } from "./not-found.js";
import type { Snapshot } from "./snapshot.js";
import type { AgentState, HeaderQuery } from "./store.js";
import { type ManagerSummary, summarize } from "./summary.js";
import { protectedIds, thin } from "./thinning.js";
import { parseTimestamp, type TimeInput, toMicroseconds } from "./timestamp.js";
import type { WritePosition } from "./write-position.js";

/** How many headers the iterator reads at a time. */
const PAGE = 256;

/**
 * The history of one session or agent: create checkpoints, look them up, return to any of them, move them in and out.
 *
 * Every method rejects with `CKPT_CLOSED` after `close`, and passes on what the store rejects with. Order is by sequence, the order
 * of the `create` calls, never by clock.
 */
export class CheckpointManager<
  State = unknown,
  Events extends ManagerEvents<State> = ManagerEvents<State>,
> extends ManagerBase<State, Events> {
  /** The id of the session; the same as `agentId`. */
  get sessionId(): string {
    return this.agentId;
  }

  /** How many checkpoints there are now. */
  get length(): Promise<number> {
    return this.operate("length", undefined, () => this.count());
  }

  /**
   * Saves `data` as a new checkpoint and makes it the head. State and metadata are captured before the call returns: what the
   * caller changes later changes nothing here. A refused call rejects and leaves no trace.
   *
   * @param name its kind or label, such as `routine`
   * @param metadata labels; plain JSON, outside the state's hash
   * @returns the checkpoint, with `durability` as the store gave it
   */
  create(
    name: string,
    data: State,
    metadata: { readonly [key: string]: Json } = {},
    options: SignalOption = {},
  ): Promise<SavedCheckpoint<State>> {
    return this.operate("create", options.signal, () =>
      this.save(this.capture(name, data, metadata), options),
    );
  }

  /** The checkpoint of this id, or undefined. */
  async get(id: string): Promise<Checkpoint<State> | undefined> {
    return this.operate("get", undefined, async () => {
      const header = await this.lookUp(id);
      return header && this.handle(header);
    });
  }

  /** All of a name, newest first. */
  async getByName(name: string): Promise<Checkpoint<State>[]> {
    return this.operate("getByName", undefined, () => this.select({ name, reverse: true }));
  }

  /** The newest, of this name where one is given; undefined when there is none. */
  async getLatest(name?: string): Promise<Checkpoint<State> | undefined> {
    return this.operate("getLatest", undefined, async () => {
      const query = { reverse: true, limit: 1 };
      return (await this.select(name === undefined ? query : { ...query, name }))[0];
    });
  }

  /** All, oldest first. */
  async getAll(): Promise<Checkpoint<State>[]> {
    return this.operate("getAll", undefined, () => this.select());
  }

  /** Those whose timestamp is after `time`, oldest first. */
  async getSince(time: TimeInput): Promise<Checkpoint<State>[]> {
    return this.operate("getSince", undefined, () => {
      const after = toMicroseconds(time, "time");
      return this.during((instant) => instant > after);
    });
  }

  /** Those whose timestamp is from `from` to `to`, both included, oldest first. */
  async getBetween(from: TimeInput, to: TimeInput): Promise<Checkpoint<State>[]> {
    return this.operate("getBetween", undefined, () => {
      const [start, end] = [toMicroseconds(from, "from"), toMicroseconds(to, "to")];
      return this.during((instant) => start <= instant && instant <= end);
    });
  }

  /**
   * Makes a checkpoint the head, on the record, and resolves to its state; undefined when there is no such id. Nothing is
   * removed: the next `create` continues from it, and the later checkpoints stay.
   */
  async rollbackTo(id: string, options: SignalOption = {}): Promise<State | undefined> {
    return this.operate("rollbackTo", options.signal, () =>
      this.queue.alone(async (position) => {
        throwIfAborted(options.signal, "rollbackTo");
        const header = await this.lookUp(id);
        if (header === undefined) return undefined;
        const snapshot = await this.load(header, options);
        const data = await this.decode(header, snapshot);
        await this.moveHead(position, header, snapshot, "rollback", options);
        return data;
      }, options.signal),
    );
  }

  /** Removes checkpoints by id, pinned or not; ids that do not exist are passed over. Resolves to how many were removed. */
  async remove(ids: string | readonly string[], options: SignalOption = {}): Promise<number> {
    return this.operate("remove", options.signal, () => {
      const wanted = new Set(typeof ids === "string" ? [ids] : ids);
      return this.removeWhere(({ id }) => wanted.has(id), "removed by the caller", options);
    });
  }

  /** Removes all checkpoints, pinned ones too. Resolves to how many there were. Sequences go on from where they were. */
  async clear(options: SignalOption = {}): Promise<number> {
    return this.operate("clear", options.signal, () => this.removeWhere(() => true, "cleared", options));
  }

  /** Keeps a checkpoint from being removed by a rule. Rejects with `CKPT_NOT_FOUND`. */
  async pin(id: string, options: SignalOption = {}): Promise<void> {
    return this.operate("pin", options.signal, () => this.recordPin(id, "pinned", options));
  }

  /** Takes a pin back. Rejects with `CKPT_NOT_FOUND`. */
  async unpin(id: string, options: SignalOption = {}): Promise<void> {
    return this.operate("unpin", options.signal, () => this.recordPin(id, "unpinned", options));
  }

  /** The reference's summary, with its key names. Reads two states. */
  async getSummary(): Promise<ManagerSummary<State>> {
    return this.operate("getSummary", undefined, async () =>
      summarize(await this.list(), async (header) => {
        const snapshot = await this.loadListed(header);
        return snapshot && { data: await this.decode(header, snapshot) };
      }),
    );
  }

  /** All checkpoints as JSON that the reference reads too. States are as stored, not migrated; rich values are tagged. */
  async export(options: SignalOption = {}): Promise<string> {
    return this.operate("export", options.signal, async () =>
      exportDocument(await this.list(), (header) => this.loadListed(header, options)),
    );
  }

  /**
   * Takes in what `export` wrote, here or in the reference: all of it in one commit, or none. The checkpoints follow those that
   * are there, in the order of the text; ids and timestamps stay as they are, and the head stays where it is unless there was none.
   * `compressAfter` and `maxCheckpoints` apply at the next `create`. Resolves to how many were taken in.
   *
   * Rejects with `CKPT_INVALID_IMPORT` (details: line, column or path), `CKPT_CONFLICT` (an id is taken: see `onConflict`), `CKPT_LIMIT`, and
   * with what `decode` rejects with for states of a newer version or that the schema refuses.
   */
  async importCheckpoints(json: string, options: ImportOptions = {}): Promise<number> {
    return this.operate("importCheckpoints", options.signal, () =>
      this.queue.alone(
        async (position) =>
          this.takeIn(await readImport(json, this.settings.capture, options), position, options),
        options.signal,
      ),
    );
  }

  /** Calls `callback` after every committed save; the same as `on("saved", callback)`. */
  onCheckpoint(callback: (checkpoint: SavedCheckpoint<State>) => unknown): () => void {
    return this.on("saved", callback as (payload: Events["saved"]) => unknown);
  }

  /** Oldest first; pages through the headers, so that a long history is never in memory as a whole. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Checkpoint<State>, void, undefined> {
    for (let afterSequence = 0; ; ) {
      const query = { afterSequence, limit: PAGE };
      const page = await this.operate("iteration", undefined, () => this.select(query));
      yield* page;
      const last = page.at(-1);
      if (last === undefined || page.length < PAGE) return;
      afterSequence = last.sequence;
    }
  }

  /** `await using` closes the manager. */
  [asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Applies `compressAfter` and `maxCheckpoints`. */
  protected override async afterSave(_saved: SavedCheckpoint<State>): Promise<void> {
    const { compressAfter, maxCheckpoints } = this.settings;
    const most = Math.min(compressAfter, maxCheckpoints);
    if (most === Number.POSITIVE_INFINITY || (await this.count()) <= most) return;
    await this.queue.alone(async (position) => {
      const agent = await this.readAgent();
      const rule = { compressAfter, maxCheckpoints, protectedIds: this.sparedByThinning(agent) };
      const plan = thin(await this.list(), rule);
      await this.prune(position, plan.compressed, "compressAfter");
      await this.prune(position, plan.overLimit, "maxCheckpoints");
    });
  }

  /** What `compressAfter` and `maxCheckpoints` leave alone. An override adds to `super.sparedByThinning(agent)`. */
  protected sparedByThinning(agent: AgentState | undefined): ReadonlySet<string> {
    return protectedIds(agent);
  }

  private async prune(position: WritePosition, ids: readonly string[], reason: string): Promise<void> {
    if (await this.discard(position, ids, reason)) this.announce("pruned", { ids, reason });
  }

  private removeWhere(
    unwanted: (header: CheckpointHeader) => boolean,
    reason: string,
    options: SignalOption,
  ): Promise<number> {
    return this.queue.alone(async (position) => {
      throwIfAborted(options.signal, reason);
      const ids = (await this.list()).filter(unwanted).map(({ id }) => id);
      if (await this.discard(position, ids, reason, options)) this.announce("removed", { ids, reason });
      return ids.length;
    }, options.signal);
  }

  private recordPin(checkpointId: string, kind: "pinned" | "unpinned", options: SignalOption): Promise<void> {
    return this.queue.alone(async () => {
      throwIfAborted(options.signal, kind);
      if ((await this.lookUp(checkpointId)) === undefined)
        throw checkpointNotFound(this.agentId, checkpointId);
      const entry = { op: "event", agentId: this.agentId, event: { kind, checkpointId } } as const;
      await this.queue.commitBeside(() => this.commit([entry], options));
    }, options.signal);
  }

  private async takeIn(
    entries: readonly ImportedEntry[],
    position: WritePosition,
    options: ImportOptions,
  ): Promise<number> {
    throwIfAborted(options.signal, "importCheckpoints");
    const { agentId } = this;
    const plan = planImport(entries, {
      agentId,
      lastSequence: position.lastSequence,
      taken: await this.list(),
      onConflict: options.onConflict ?? "refuse",
    });
    const last = plan.at(-1);
    if (last === undefined) return 0;
    const { schema, migrator } = this.settings;
    for (const { header, snapshot } of plan) {
      if (schema !== undefined || migrator.version !== null) await this.decode(header, snapshot);
      else migrator.versionOf(header.schemaVersion, header.id);
    }
    const { headId } = position;
    const batch = importBatch(plan, agentId, headId);
    await this.queue.commit(position, headId ?? last.header.id, () => this.commit(batch, options));
    // Not before: one that fails would leave a gap as wide as its numbers.
    position.advanceTo(last.header.sequence);
    this.announce("imported", { ids: plan.map(({ header }) => header.id) });
    return plan.length;
  }

  private loadListed(header: CheckpointHeader, options: SignalOption = {}): Promise<Snapshot | undefined> {
    return unlessRemoved(
      () => this.load(header, options),
      () => this.lookUp(header.id),
    );
  }

  private async count(): Promise<number> {
    return (await this.readAgent())?.count ?? 0;
  }

  private async select(query?: HeaderQuery): Promise<Checkpoint<State>[]> {
    return (await this.list(query)).map((header) => this.handle(header));
  }

  private async during(matches: (instant: bigint) => boolean): Promise<Checkpoint<State>[]> {
    const found = (await this.list()).filter(({ timestamp }) => {
      const instant = parseTimestamp(timestamp);
      return instant !== undefined && matches(instant);
    });
    return found.map((header) => this.handle(header));
  }
}
