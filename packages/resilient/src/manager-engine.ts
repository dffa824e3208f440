import {
  type AgentState,
  type Capture,
  type CheckpointHeader,
  type CommitOptions,
  isCkptError,
  SavedCheckpoint,
  type SignalOption,
  type Snapshot,
  type StateReader,
  type StoreEntry,
  type StoreFinding,
  validateAgentId,
  type WritePosition,
} from "@ckpt/core";
import type { RetentionDecision } from "@ckpt/retention";
import { DriftWatch } from "./drift-watch.js";
import { type EmbeddedStore, embeddedStore } from "./embedded-store.js";
import { FindingInbox } from "./finding-inbox.js";
import { LiveStateManager } from "./live-state-manager.js";
import { type ManagerKit, registerKit } from "./manager-kit.js";
import type { ManagerStatus } from "./manager-status.js";
import { checkOptions, type ResilientOptions, settingsOf } from "./options.js";
import { describeError } from "./place-failure.js";
import type { Pruner } from "./pruner.js";
import { prunerBeside } from "./pruner-beside.js";
import { undoTarget } from "./restore.js";
import { ladderOver } from "./shared-ladder.js";
import { tellIncident } from "./tell-incident.js";
import type { CloseOptions, DegradingStore } from "./with-degradation.js";

/**
 * The works of the resilient manager: the store with its ladder, retention and drift beside the saves, closing.
 * `ResilientCheckpointManager` puts the verbs on it.
 *
 * What a save does beyond the plain one costs no commit of its own: the removal that retention planned and the monitor's
 * state go out in the save's own batch.
 */
export abstract class ManagerEngine<State> extends LiveStateManager<State> {
  protected readonly kit: ManagerKit<State>;
  protected readonly drift: DriftWatch;
  protected readonly pruner: Pruner;
  readonly #embedded: EmbeddedStore | undefined;
  readonly #ladder: DegradingStore;
  readonly #inbox: FindingInbox;
  readonly #unsubscribe: () => void;
  readonly #damagedIds = new Set<string>();
  #lastSaved: ManagerStatus["lastSaved"] = null;
  #saves = 0;
  #isOpen = false;
  #savesUnderWay = 0;
  #closeOptions: CloseOptions = {};
  #closing: Promise<void> | undefined;

  constructor(agentId: string, options: ResilientOptions<State>) {
    checkOptions(options);
    validateAgentId(agentId);
    const settings = settingsOf(options);
    const embedded = options.store === undefined ? embeddedStore(settings.directory, settings) : undefined;
    const ladder = embedded?.ladder ?? ladderOver(options.store!, settings);
    const { maxCheckpoints, compressAfter } = settings;
    super(options, { ...options, sessionId: agentId, store: ladder, maxCheckpoints, compressAfter });
    this.#embedded = embedded;
    this.#ladder = ladder;
    embedded?.enter();
    this.#inbox = new FindingInbox(agentId, ladder);
    this.drift = new DriftWatch({
      drift: options.drift,
      codecs: options.codecs,
      logger: this.settings.logger,
      onDrift: (verdict) => this.events.emit("drift", { verdict }),
    });
    this.#unsubscribe = ladder.onIncident((incident) => tellIncident(this.kit, incident));
    const kit = this.#makeKit();
    this.pruner = prunerBeside(kit, options.retention, (agent) => this.#alsoKept(agent));
    this.kit = { ...kit, pruner: this.pruner };
    registerKit(this, this.kit);
  }

  protected override async open(): Promise<WritePosition> {
    const position = await super.open();
    this.#isOpen = true;
    this.drift.resume(await this.readAgent());
    return position;
  }

  protected override async save(
    capture: Capture,
    options: CommitOptions = {},
  ): Promise<SavedCheckpoint<State>> {
    this.#savesUnderWay++;
    let removal: readonly RetentionDecision[] = [];
    const also: CommitOptions["also"] = (draft) => {
      const { entries, decisions } = this.pruner.take();
      removal = decisions;
      return [...(options.also?.(draft) ?? []), ...this.drift.noteEntries(this.agentId), ...entries];
    };
    let saved: SavedCheckpoint<State>;
    try {
      saved = await super.save(capture, { ...options, also });
    } catch (error) {
      this.pruner.putBack(removal);
      throw error;
    } finally {
      this.#savesUnderWay--;
    }
    this.pruner.carried(removal);
    this.#takeFindings();
    this.#observe(saved, capture.snapshot);
    this.#noteSaved(saved);
    return saved;
  }

  /** A detector of the caller's that throws must not turn a committed save into a failed one. */
  #observe(saved: CheckpointHeader, state: Snapshot): void {
    try {
      this.drift.observeSave(saved, state);
    } catch (error) {
      this.report("observing a save", error);
    }
  }

  /** The undo's target, the checkpoint from before a suspicion, and what is needed now, stay, whatever bounds the history. */
  protected override sparedByThinning(agent: AgentState | undefined): ReadonlySet<string> {
    return new Set([...super.sparedByThinning(agent), ...this.#alsoKept(agent), ...this.pruner.sparedIds]);
  }

  #alsoKept(agent: AgentState | undefined): string[] {
    return [undoTarget(agent), this.drift.lastGoodId].filter((id) => id !== undefined);
  }

  #noteSaved({ id, timestamp, durability }: SavedCheckpoint<State>): void {
    this.#saves++;
    this.#lastSaved = { id, timestamp, durability };
    this.pruner.saved();
  }

  protected override async load(header: CheckpointHeader, options: SignalOption = {}): Promise<Snapshot> {
    try {
      return await super.load(header, options);
    } catch (error) {
      if (isCkptError(error, "CKPT_CORRUPT")) this.#damaged(header.id, error);
      throw error;
    }
  }

  #damaged(checkpointId: string, error: unknown): void {
    if (this.#damagedIds.has(checkpointId)) return;
    this.#damagedIds.add(checkpointId);
    this.pruner.markDamaged(checkpointId);
    const { message } = describeError(error);
    this.drift.addFindings([
      {
        kind: "damaged",
        place: checkpointId,
        message,
        affectedIds: [checkpointId],
        remedy: "Run verify and repair.",
      },
    ]);
    this.settings.logger.error("a checkpoint could not be read back", {
      agentId: this.agentId,
      checkpointId,
      error,
    });
    this.events.emit("damaged", { checkpointId, error });
  }

  #takeFindings(): readonly StoreFinding[] {
    const findings = this.#inbox.take();
    if (findings.length === 0) return findings;
    // One that names no checkpoint (a place that cannot be read, a copy that was read elsewhere) is no reason to go back.
    this.drift.addFindings(findings.filter(({ affectedIds }) => affectedIds.length > 0));
    for (const finding of findings) {
      for (const id of finding.affectedIds) this.pruner.markDamaged(id);
      this.settings.logger.warn("the store found something", { agentId: this.agentId, finding });
      this.events.emit("finding", finding);
    }
    return findings;
  }

  /** How the manager and its store are: cheap data for a health endpoint. */
  status(): ManagerStatus {
    return {
      ...this.#ladder.health(),
      agentId: this.agentId,
      closed: this.closed,
      lastSaved: this.#lastSaved,
      saves: this.#saves,
      drift: this.drift.verdict().level,
      pendingRemovals: this.pruner.pendingIds.length,
      damagedIds: [...this.#damagedIds],
    };
  }

  /** Tries now to make durable what is in memory only. Resolves to whether nothing is left. */
  async flush(options: SignalOption = {}): Promise<boolean> {
    return this.operate("flush", options.signal, () =>
      this.#ladder.flush(options.signal === undefined ? {} : { signal: options.signal }),
    );
  }

  /**
   * Finishes the calls under way, carries out due retention, flushes what is in memory only, releases the agent. Rejects with
   * `CKPT_NOT_FLUSHED` (details.pendingIds) when something is still in memory after `timeoutMs` (default 5,000): the manager is open and
   * usable then. `discard` gives that up instead.
   */
  override close(options: CloseOptions = {}): Promise<void> {
    const isUnderWay = this.#closing !== undefined;
    if (!isUnderWay || options.discard === true) this.#closeOptions = options;
    // A close that waits for the flush already hears of it too, and ends.
    if (isUnderWay && this.#isOpen && options.discard === true)
      void this.#ladder.settle(this.agentId, options);
    this.#closing ??= this.#finish().catch((error: unknown) => {
      this.#closing = undefined;
      throw error;
    });
    return this.#closing;
  }

  async #finish(): Promise<void> {
    // A manager that never wrote has nothing to finish, and must not take the agent for it.
    if (this.#savesUnderWay > 0) await this.queue.alone(async () => {}).catch(() => {});
    if (this.#isOpen && !this.closed) {
      try {
        await this.queue.alone(async () => {});
        await this.pruner.finish();
        const note = this.drift.noteEntries(this.agentId, true);
        if (note.length > 0) await this.commit(note);
      } catch (error) {
        // Neither is part of what was acknowledged; the next process does both again.
        this.report("the last work before closing", error);
      }
      await this.#ladder.settle(this.agentId, this.#closeOptions);
    }
    await super.close();
  }

  protected override async release(): Promise<void> {
    this.pruner.stop();
    // A save that was under way when the close began may have reached memory only.
    if (this.#isOpen) await this.#ladder.settle(this.agentId, this.#closeOptions);
    this.#isOpen = false;
    this.#unsubscribe();
    this.#inbox.leave();
    await super.release();
    await this.#embedded?.leave();
  }

  #makeKit(): Omit<ManagerKit<State>, "pruner"> {
    const reader: StateReader<State> = {
      readData: (header, options) => this.handle(header).data(options),
      readSnapshot: (header, options) => this.handle(header).snapshot(options),
    };
    return {
      agentId: this.agentId,
      store: this.#ladder,
      queue: this.queue,
      events: this.events,
      logger: this.settings.logger,
      drift: this.drift,
      hasCollect: this.hasCollect,
      hasApply: this.hasApply,
      operate: (call, signal, operation) => this.operate(call, signal, operation),
      restores: this.restores,
      withCapture: (name, metadata, signal, use) => this.withCapture(name, metadata, signal, use),
      captureNow: (name, metadata) => this.captureNow(name, metadata),
      draft: (capture, place) => this.draft(capture, place),
      save: (capture, options) => this.save(capture, options),
      moveHead: (position, header, state, reason, options) =>
        this.moveHead(position, header, state, reason, options),
      commit: (entries: readonly StoreEntry[], options) => this.commit(entries, options),
      load: (header, options) => this.load(header, options),
      list: (query) => this.list(query),
      lookUp: (id) => this.lookUp(id),
      readAgent: () => this.readAgent(),
      decode: (header, state) => this.decode(header, state),
      handle: (header) => this.handle(header),
      apply: (state, checkpointId) => this.putBack(state, checkpointId),
      announceSaves: ({ headers, durability }, state) =>
        headers.map((header) => {
          const saved = new SavedCheckpoint<State>(header, durability, reader);
          this.announce("saved", saved);
          if (state !== undefined) this.#observe(saved, state);
          this.#noteSaved(saved);
          return saved;
        }),
      settleSaves: async (saved) => {
        for (const each of saved) await this.settleSave(each);
      },
      damaged: (checkpointId, error) => this.#damaged(checkpointId, error),
      takeFindings: () => this.#takeFindings(),
      now: () => this.settings.clock(),
      report: (during, error) => this.report(during, error),
    };
  }
}
