import { CkptError } from "@ckpt/errors";
import type { SignalOption } from "./abort.js";
import { Checkpoint, SavedCheckpoint, type StateReader } from "./checkpoint.js";
import type { CheckpointDraft, CheckpointHeader } from "./checkpoint-header.js";
import { Emitter } from "./emitter.js";
import { validateName } from "./identifiers.js";
import { guardedLogger } from "./logger.js";
import type { ManagerEvents } from "./manager-events.js";
import { type ManagerOptions, type ResolvedOptions, resolveOptions } from "./manager-options.js";
import { MemoryStore } from "./memory-store.js";
import { captureMetadata, type Metadata } from "./metadata.js";
import { OpenCalls } from "./open-calls.js";
import { validateOnRestore, validateOnSave } from "./schema.js";
import { type Snapshot, snapshot } from "./snapshot.js";
import type { AgentState, CheckpointStore, CommitReceipt, HeaderQuery, Lease, StoreEntry } from "./store.js";
import { formatTimestamp } from "./timestamp.js";
import { type Place, WritePosition } from "./write-position.js";
import { WriteQueue } from "./write-queue.js";

/** A checkpoint as the call captured it: all of it but its place in the history. */
export interface Capture {
  readonly name: string;
  readonly timestamp: string;
  readonly metadata: Metadata;
  readonly schemaVersion: number | null;
  readonly snapshot: Snapshot;
}

/** What a commit of a save or a head move takes besides. */
export interface CommitOptions extends SignalOption {
  /** More entries for the same atomic commit, made once the checkpoint's place is known. */
  readonly also?: ((checkpoint: CheckpointDraft) => readonly StoreEntry[]) | undefined;
}

/** What a head move takes besides. */
export interface MoveHeadOptions extends CommitOptions {
  /** A first child of the checkpoint, which becomes the head instead of it. */
  readonly child?: Extract<StoreEntry, { op: "put" }> | undefined;
}

/**
 * What managers are made of: capture, ordered commits, restore, events, closing. `CheckpointManager` puts its methods on it.
 * Who extends a manager overrides these steps:
 *
 * - `open`: what happens once, before the first write; takes the agent.
 * - `capture`: from live values to a frozen {@link Capture}; synchronous.
 * - `commit`, `load`, `list`, `lookUp`, `readAgent`: the only ways to the store, besides `open`.
 * - `afterSave`: what follows a committed save, and may fail without failing it.
 * - `release`: the last step of `close`.
 */
export abstract class ManagerBase<State, Events extends ManagerEvents<State> = ManagerEvents<State>> {
  /** The agent or session whose history this is. */
  readonly agentId: string;
  protected readonly store: CheckpointStore;
  protected readonly settings: ResolvedOptions;
  protected readonly events: Emitter<Events>;
  protected readonly queue: WriteQueue;
  readonly #ownsStore: boolean;
  readonly #calls = new OpenCalls("manager");
  readonly #reader: StateReader<State>;
  #lease: Lease | undefined;
  #previous: Snapshot | undefined;
  #closing: Promise<void> | undefined;
  #loggerFails = false;

  constructor(options: ManagerOptions<State> = {}) {
    const settings = resolveOptions(options);
    const logger = guardedLogger(settings.logger, (error) => {
      this.#loggerFails = true;
      this.announce("error", { during: "logging", error });
    });
    this.settings = { ...settings, logger };
    this.agentId = this.settings.agentId;
    this.#ownsStore = options.store === undefined;
    this.store = options.store ?? new MemoryStore();
    this.events = new Emitter((event, error) => this.report(`listener of "${String(event)}"`, error));
    this.queue = new WriteQueue(() => this.open());
    this.#reader = {
      readData: (header, { signal }) =>
        this.operate("data", signal, async () => this.decode(header, await this.load(header, { signal }))),
      readSnapshot: (header, { signal }) =>
        this.operate("snapshot", signal, () => this.load(header, { signal })),
    };
  }

  /** Whether `close` was called. */
  get closed(): boolean {
    return this.#calls.closed;
  }

  /** Subscribes to an event; the returned function unsubscribes. A listener that throws is reported as `error` and to the logger. */
  on<K extends keyof Events>(event: K, listener: (payload: Events[K]) => unknown): () => void {
    return this.events.on(event, listener);
  }

  /**
   * Waits for the calls under way, then releases the agent and, when it is the manager's own, the store. Idempotent. When the
   * release fails, the manager stays closed, and another close tries it again.
   */
  close(): Promise<void> {
    this.#closing ??= this.#calls
      .close()
      .then(() => this.queue.settled())
      .then(() => this.release())
      .catch((error: unknown) => {
        this.#closing = undefined;
        throw error;
      });
    return this.#closing;
  }

  /** Runs one public call: refuses it when closed or aborted, starts it before it returns, and lets `close` wait for it. */
  protected operate<T>(
    call: string,
    signal: AbortSignal | undefined,
    operation: () => T | Promise<T>,
  ): Promise<T> {
    return this.#calls.run(call, signal, operation);
  }

  /** Captures a state and its metadata: judged by the schema, frozen, sharing with the capture before. Throws what it refuses. */
  protected capture(name: string, data: State, metadata: unknown = {}): Capture {
    const { schema, capture, clock, migrator } = this.settings;
    validateName(name);
    const captured = captureMetadata(metadata);
    if (schema !== undefined) validateOnSave(schema, data);
    const previous = this.#previous;
    const taken = snapshot(data, previous === undefined ? capture : { ...capture, previous });
    this.#previous = taken;
    const timestamp = formatTimestamp(clock());
    return { name, timestamp, metadata: captured, schemaVersion: migrator.version, snapshot: taken };
  }

  /** The header of a capture at its place. */
  protected draft(capture: Capture, place: Place): CheckpointDraft {
    const { id, sequence, parentId } = place;
    const { name, timestamp, metadata, schemaVersion } = capture;
    return { id, agentId: this.agentId, sequence, name, timestamp, parentId, metadata, schemaVersion };
  }

  /** Commits a capture at the next place; then `saved` is emitted and `afterSave` runs. Rejects as `commit` does. */
  protected async save(capture: Capture, options: CommitOptions = {}): Promise<SavedCheckpoint<State>> {
    const { signal, also } = options;
    const { id, committing } = await this.queue.inTurn((position) => {
      const draft = this.draft(capture, position.next());
      const put: StoreEntry = { op: "put", header: draft, snapshot: capture.snapshot };
      const entries = [put, ...(also?.(draft) ?? [])];
      const start = () => this.commit(entries, { signal });
      return { id: draft.id, committing: this.queue.commit(position, draft.id, start) };
    }, signal);
    const { headers, durability } = await committing;
    const header = headers[0]?.id === id ? headers[0] : headers.find((candidate) => candidate.id === id);
    if (header === undefined)
      throw new CkptError("CKPT_UNSUPPORTED", {
        message: `The store's receipt for ${id} does not have its header.`,
        hint: "This is a defect of the store: a receipt holds the headers of all puts.",
      });
    const saved = new SavedCheckpoint<State>(header, durability, this.#reader);
    this.announce("saved", saved);
    await this.settleSave(saved);
    return saved;
  }

  /** Runs `afterSave`, whose failure is reported. Not inside a step of `queue.alone`: it may ask for a turn. */
  protected async settleSave(saved: SavedCheckpoint<State>): Promise<void> {
    try {
      await this.afterSave(saved);
    } catch (error) {
      this.report("work after a save", error);
    }
  }

  /**
   * Makes `header` the head, on the record, and `state` the base of what is captured next; emits `restored`. Only inside a step
   * of `queue.alone`.
   */
  protected async moveHead(
    position: WritePosition,
    header: CheckpointHeader,
    state: Snapshot,
    reason: string,
    options: MoveHeadOptions = {},
  ): Promise<CommitReceipt> {
    const { agentId } = this;
    const { also, child } = options;
    const event = { kind: "head", checkpointId: header.id, reason } as const;
    // The head event comes behind the others: a put among them moves the head by itself.
    const entries: StoreEntry[] = [...(also?.(header) ?? []), { op: "event", agentId, event }];
    if (child !== undefined) entries.push(child);
    const start = () => this.commit(entries, options);
    const receipt = await this.queue.commit(position, child?.header.id ?? header.id, start);
    this.#previous = state;
    this.announce("restored", { checkpoint: this.handle(header), reason });
    return receipt;
  }

  /** Removes in one commit, and takes the head along. False when there was nothing to remove. Only inside a step of `queue.alone`. */
  protected async discard(
    position: WritePosition,
    ids: readonly string[],
    reason: string,
    options: SignalOption = {},
  ): Promise<boolean> {
    if (ids.length === 0) return false;
    const headId = position.headId !== null && ids.includes(position.headId) ? null : position.headId;
    const entry: StoreEntry = { op: "remove", agentId: this.agentId, ids, reason };
    await this.queue.commit(position, headId, () => this.commit([entry], options));
    return true;
  }

  /** Runs after every committed save; a failure is reported, and the save stands. Does nothing here. */
  protected async afterSave(_saved: SavedCheckpoint<State>): Promise<void> {}

  /** Hands a batch to the store. */
  protected commit(entries: readonly StoreEntry[], options: SignalOption = {}): Promise<CommitReceipt> {
    return this.store.commit(entries, storeOptions(options));
  }

  /** Reads a verified state from the store. */
  protected load(header: CheckpointHeader, options: SignalOption = {}): Promise<Snapshot> {
    return this.store.load(this.agentId, header.id, storeOptions(options));
  }

  /** Reads headers from the store, by sequence. */
  protected list(query?: HeaderQuery): Promise<CheckpointHeader[]> {
    return this.store.list(this.agentId, query);
  }

  /** Reads one header from the store. */
  protected lookUp(id: string): Promise<CheckpointHeader | undefined> {
    return this.store.get(this.agentId, id);
  }

  /** Reads the agent's head, pins, guards and notes from the store; undefined before its first write. */
  protected readAgent(): Promise<AgentState | undefined> {
    return this.store.agent(this.agentId);
  }

  /** From a stored state to the caller's: a fresh value, migrated and judged. */
  protected async decode(
    header: Pick<CheckpointHeader, "id" | "schemaVersion">,
    state: Snapshot,
  ): Promise<State> {
    const { migrator, schema, capture } = this.settings;
    migrator.versionOf(header.schemaVersion, header.id); // A newer one is refused before it is built.
    const stored = state.toValue<unknown>(capture.codecs);
    const value = await migrator.migrate(stored, header.schemaVersion, header.id);
    if (schema !== undefined) await validateOnRestore(schema, value, header.id);
    return value as State;
  }

  /** A handle for a header. */
  protected handle(header: CheckpointHeader): Checkpoint<State> {
    return new Checkpoint<State>(header, this.#reader);
  }

  /** Emits one of the base events. Who adds events emits those through `events`. */
  protected announce<K extends keyof ManagerEvents<State>>(event: K, payload: ManagerEvents<State>[K]): void {
    // `Events` only adds keys; TypeScript cannot see that its payloads for these keys are the same.
    (this.events as unknown as Emitter<ManagerEvents<State>>).emit(event, payload);
  }

  /** A failure that no call can reject with: to the logger, and as an `error` event. */
  protected report(during: string, error: unknown): void {
    const isOfError = during === 'listener of "error"';
    // Where neither takes what the other failed with, telling them would never end; the next failure of something else is told both anew.
    if (!isOfError) this.#loggerFails = false;
    else if (this.#loggerFails) return;
    this.settings.logger.error(`${during} failed`, { agentId: this.agentId, error });
    if (!isOfError) this.announce("error", { during, error });
  }

  /** Takes the agent (`CKPT_LOCKED` when another holds it) and reads where its history ends. */
  protected async open(): Promise<WritePosition> {
    this.#lease ??= await this.store.acquire(this.agentId);
    const agent = await this.readAgent();
    return new WritePosition(this.agentId, agent?.lastSequence ?? 0, agent?.headId ?? null);
  }

  /** The last step of `close`. */
  protected async release(): Promise<void> {
    this.events.clear();
    try {
      await this.#lease?.release();
      this.#lease = undefined; // One that was not given back is for the next close.
    } finally {
      if (this.#ownsStore) await this.store.close();
    }
  }
}

/** The store's methods take no explicit `undefined`. */
function storeOptions({ signal }: SignalOption): { signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}
