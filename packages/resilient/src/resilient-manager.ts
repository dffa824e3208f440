import type {
  Checkpoint,
  CheckpointHeader,
  CheckpointStore,
  CompactionReport,
  Metadata,
  SavedCheckpoint,
  SignalOption,
  StoreFinding,
} from "@ckpt/core";
import type { Signal, Verdict } from "@ckpt/drift";
import type { RetentionPlan } from "@ckpt/retention";
import { isDrift } from "./drift-watch.js";
import { type ForkOptions, fork } from "./fork.js";
import { type GuardContext, type GuardOptions, guard } from "./guard.js";
import { ManagerEngine } from "./manager-engine.js";
import { ancestor } from "./newest-intact.js";
import { RESILIENT_DEFAULTS, type ResilientOptions } from "./options.js";
import { recover } from "./recover.js";
import type { RecoveryReport } from "./recovery-report.js";
import { type CheckpointReference, resolveReference } from "./resolve-reference.js";
import { type Restored, type RestoreOptions, restore, rollBack, undoRestore } from "./restore.js";

/**
 * The checkpoint manager of an agent that has to survive: durable saves, recovery after any crash, guarded operations, undo, drift,
 * retention, and honest degradation when no place takes writes. A drop-in replacement for `CheckpointManager`, with the same methods.
 *
 * ```ts
 * const checkpoints = new ResilientCheckpointManager<AgentState>("agent-3", {
 *   collect: () => agent.state,
 *   apply: (state) => { agent.state = state; },
 * });
 * await checkpoints.recover();
 * await checkpoints.createCheckpoint("routine");
 * ```
 *
 * Constructing and reading take no lock; `recover` or the first write takes the agent's (`CKPT_LOCKED`, details.holder, when another
 * process has it). Every method rejects with `CKPT_CLOSED` after `close`. Events: see `ResilientEvents`.
 */
export class ResilientCheckpointManager<State = unknown> extends ManagerEngine<State> {
  /**
   * @param agentId whose history this is; any string without control characters, at most 200 bytes (`CKPT_INVALID_ID`)
   * @param options all optional; without any, checkpoints go to the embedded disk store under `.ckpt`
   */
  constructor(agentId: string, options: ResilientOptions<State> = {}) {
    super(agentId, options);
  }

  /**
   * Saves the live state (`collect`; without it, the custom state) as a new checkpoint and makes it the head. The state is
   * captured before this returns; where `collect` gives a promise, when that resolves.
   *
   * @param type `routine`, `pre_operation`, `recovery`, or any other name; retention goes by it
   * @param metadata labels, beside `context` (the operational context) and `custom`
   * @returns what `restoreCheckpoint` takes, with `durability`: `durable`, or `degraded` while it is in memory only
   */
  async createCheckpoint(
    type = "routine",
    metadata: Metadata = {},
    options: SignalOption = {},
  ): Promise<SavedCheckpoint<State>> {
    return this.operate("createCheckpoint", options.signal, () =>
      this.withCapture(type, metadata, options.signal, (capture) => this.save(capture, options)),
    );
  }

  /**
   * Goes back to a checkpoint: saves the live state first (`safety`), makes the checkpoint the head, durably, and hands its state to
   * `apply`. Where it is damaged, the newest intact checkpoint of its lineage stands in, which `askedId` and `skipped` of the
   * result and the event `damaged` say; `allowOlder: false` forbids that.
   *
   * Rejects with `CKPT_NOT_FOUND`, `CKPT_WRONG_AGENT`, `CKPT_CORRUPT` (nothing intact), `CKPT_NEWER_VERSION`, `CKPT_MIGRATION_FAILED`,
   * `CKPT_INVALID_STATE`: nothing is changed then. `CKPT_APPLY_FAILED`: the head is moved, `apply` threw.
   */
  async restoreCheckpoint(
    reference: CheckpointReference,
    options: RestoreOptions = {},
  ): Promise<Restored<State>> {
    return this.operate("restoreCheckpoint", options.signal, () => restore(this.kit, reference, options));
  }

  /** The newest checkpoint, of this type where one is given; undefined when there is none. */
  getLatestCheckpoint(type?: string): Promise<Checkpoint<State> | undefined> {
    return this.getLatest(type);
  }

  /** As in `CheckpointManager`, with `apply` and a safety checkpoint: the exact checkpoint or an error, undefined when there is none. */
  override async rollbackTo(id: string, options: SignalOption = {}): Promise<State | undefined> {
    return this.operate("rollbackTo", options.signal, () => rollBack(this.kit, id, options));
  }

  /** Goes back behind the last restore, rollback or failed guard; once more goes forth again. Rejects with `CKPT_NOT_FOUND`. */
  async undoRestore(options: RestoreOptions = {}): Promise<Restored<State>> {
    return this.operate("undoRestore", options.signal, () => undoRestore(this.kit, options));
  }

  /**
   * To be called once at start: takes the agent, applies its head (the last save or restore, whichever came later) or, where that
   * is damaged, the newest intact checkpoint of its lineage, and reports what was skipped, operations that a crash left unfinished, and
   * whether a place could not be read. With no history it applies nothing.
   *
   * Rejects with `CKPT_LOCKED`, with `CKPT_NEWER_VERSION` and the like when the head is intact but not readable by this program, and
   * with the store's errors.
   */
  async recover(options: SignalOption = {}): Promise<RecoveryReport<State>> {
    const onUnfinished = this.options.onUnfinishedGuard ?? RESILIENT_DEFAULTS.onUnfinishedGuard;
    return this.operate("recover", options.signal, () => recover(this.kit, onUnfinished, options));
  }

  /**
   * Runs something risky so that its failure leaves no trace in the state: a `pre_operation` checkpoint first, released when
   * `run` succeeds, restored when it fails. Across a crash `recover` finds the operation unfinished and offers the state from before.
   *
   * Resolves to what `run` resolves to. Rejects with `CKPT_GUARD_FAILED` (`cause` is its error, details.restored says whether the state
   * is back), and with `CKPT_INVALID_ARGUMENT` without `collect` and `apply`.
   */
  async guard<Result>(
    operation: string,
    run: (context: GuardContext) => Result | Promise<Result>,
    options: GuardOptions = {},
  ): Promise<Result> {
    return guard(this.kit, operation, run, options);
  }

  /**
   * Starts a new line from an old point. Here: goes back to it (as `restoreCheckpoint` does) and saves it as a new head, a child
   * of the old one; what came after stays. With `agentId`: as the first checkpoint of another agent, whose history must be empty
   * (`CKPT_CONFLICT`); this agent stays where it is. The exact state, or an error.
   */
  async fork(reference: CheckpointReference, options: ForkOptions = {}): Promise<SavedCheckpoint<State>> {
    return this.operate("fork", options.signal, () => fork(this.kit, reference, options));
  }

  /** A checkpoint and what it was continued from, newest first. Default: from the head. Ends where an ancestor was removed. */
  async lineage(reference?: CheckpointReference): Promise<Checkpoint<State>[]> {
    return this.operate("lineage", undefined, async () => {
      const from = reference ?? (await this.readAgent())?.headId;
      if (from === undefined || from === null) return [];
      const line: Checkpoint<State>[] = [];
      for (
        let at: CheckpointHeader | undefined = await resolveReference(this.kit, from);
        at !== undefined;
      ) {
        line.push(this.handle(at));
        const older: { header: CheckpointHeader | undefined; gap: boolean } = await ancestor(this.kit, at);
        at = older.gap ? undefined : older.header;
      }
      return line;
    });
  }

  override async pin(id: string, options: SignalOption = {}): Promise<void> {
    return this.pruner.sparing([id], () => super.pin(id, options));
  }

  /** What the retention policy keeps and drops at this moment, with the reasons of each; changes nothing. Undefined without a policy. */
  async planRetention(): Promise<RetentionPlan | undefined> {
    return this.operate("planRetention", undefined, () => this.pruner.plan());
  }

  /** Plans and removes now, instead of beside later saves. Resolves to the plan that was carried out. */
  async applyRetention(): Promise<RetentionPlan | undefined> {
    return this.operate("applyRetention", undefined, () => this.pruner.apply());
  }

  /** Gives back the space of removed checkpoints, of all agents of the store. Saves and reads go on meanwhile. */
  async compact(options: SignalOption = {}): Promise<CompactionReport> {
    return this.operate("compact", options.signal, () =>
      this.store.compact(options.signal === undefined ? {} : { signal: options.signal }),
    );
  }

  /** Streams what is wrong in the store, of all agents; `sample` (0..1] checks a part. Changes nothing. */
  verify(options: Parameters<CheckpointStore["verify"]>[0] = {}): AsyncIterable<StoreFinding> {
    return this.store.verify(options);
  }

  /** Tells the drift monitor of a step: durations, outcome, tool, action, observation. Saves are told by themselves. */
  observe(signal: Signal): Verdict {
    return this.drift.observe(signal);
  }

  /** What the drift monitor thinks of the agent now, with its evidence. */
  driftVerdict(): Verdict {
    return this.drift.verdict();
  }

  /** Closes the episode: the agent was restored, or a person judged it harmless. */
  acknowledgeDrift(): void {
    this.drift.acknowledge();
  }

  /**
   * Whether the agent drifts, by the monitor's verdict or its own sign. Synchronous, so that `if (manager.detectDrift())` means
   * what it says; the evidence is in `driftVerdict()`. An override combines `super.detectDrift()` with its own.
   */
  detectDrift(): boolean {
    return isDrift(this.driftVerdict()) || this.detectCustomDrift();
  }

  /** The agent's own sign of drift. */
  protected detectCustomDrift(): boolean {
    return this.options.detectCustomDrift?.() === true;
  }

  /**
   * The latest checkpoint from before the drift began: the one to restore. Undefined when none is left. Without a verdict (a
   * drift of the agent's own detection) the latest `routine` one.
   */
  async getCheckpointBeforeDrift(): Promise<Checkpoint<State> | undefined> {
    return this.operate("getCheckpointBeforeDrift", undefined, async () => {
      const { since, lastGood } = this.driftVerdict();
      if (since === null) return this.getLatest("routine");
      const named =
        lastGood?.checkpointId === undefined ? undefined : await this.lookUp(lastGood.checkpointId);
      if (named !== undefined) return this.handle(named);
      const before = lastGood?.sequence ?? since.sequence;
      if (before === undefined) return undefined;
      const [older] = await this.list({ beforeSequence: before + 1, reverse: true, limit: 1 });
      return older && this.handle(older);
    });
  }
}
