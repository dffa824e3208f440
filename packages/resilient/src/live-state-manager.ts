import {
  type Capture,
  CheckpointManager,
  isThenable,
  type Json,
  type ManagerOptions,
  type Metadata,
} from "@ckpt/core";
import { fail } from "./errors.js";
import type { ResilientEvents } from "./events.js";
import { AgentContext } from "./operational-context.js";
import type { OperationalContext, ResilientOptions } from "./options.js";
import { describeError } from "./place-failure.js";
import { RestoresUnderWay } from "./restores-under-way.js";

/**
 * The manager's hold on the running agent: where a state comes from (`collect`), where it goes back to (`apply`), and what is
 * said about the circumstances of a save. The steps can be given as options or overridden.
 */
export abstract class LiveStateManager<State> extends CheckpointManager<State, ResilientEvents<State>> {
  protected readonly options: ResilientOptions<State>;
  protected readonly restores = new RestoresUnderWay();
  readonly #context: AgentContext;

  constructor(options: ResilientOptions<State>, base: ManagerOptions<State>) {
    super(base);
    this.options = options;
    this.#context = new AgentContext(this.agentId);
  }

  /**
   * What `metadata.context` says: agent id, host, process, uptime, memory, and the registered tasks and counters. Called at every
   * `createCheckpoint`, so it has to be quick. An override starts from `super.getOperationalContext()`.
   */
  protected getOperationalContext(): OperationalContext {
    const context = this.#context.describe();
    return this.options.getOperationalContext?.(context) ?? context;
  }

  /** More of the agent, as plain JSON: `metadata.custom` of every checkpoint, or, without `collect`, the state itself. */
  protected getCustomState(): { readonly [key: string]: Json } {
    return this.options.getCustomState?.() ?? {};
  }

  /** Puts a restored state in place of the live one. An override does what the option `apply` would. */
  protected async applyState(state: State): Promise<void> {
    await this.options.apply?.(state);
  }

  /** Registers a task of the agent in the operational context, with a status (plain JSON); null takes it off. At most 256. */
  setTask(name: string, status: Json): void {
    this.#context.setTask(name, status);
  }

  /** Adds to a counter of the agent in the operational context. At most 256 counters. */
  addToCounter(name: string, by = 1): void {
    this.#context.count(name, by);
  }

  /** Whether a live state can be had at all. */
  protected get hasCollect(): boolean {
    const { collect, getCustomState } = this.options;
    return collect !== undefined || getCustomState !== undefined || this.overrides("getCustomState");
  }

  /** Whether a state can be put back. */
  protected get hasApply(): boolean {
    return this.options.apply !== undefined || this.overrides("applyState");
  }

  private overrides(step: "getCustomState" | "applyState"): boolean {
    return this[step] !== LiveStateManager.prototype[step];
  }

  /**
   * Captures the live state for `use`, which asks for a turn before it returns: now; where `collect` gives a promise, when that resolves;
   * while a restore is on its way to `apply`, once that was called. A restore that is called meanwhile waits for the turn to be asked
   * for. Rejects with `CKPT_ABORTED` when `signal` fires before.
   */
  protected withCapture<T>(
    name: string,
    metadata: Metadata,
    signal: AbortSignal | undefined,
    use: (capture: Capture) => Promise<T>,
  ): Promise<T> {
    const { settled } = this.restores;
    const now = settled === undefined ? this.captureNow(name, metadata) : undefined;
    if (now !== undefined && !(now instanceof Promise)) return use(now);
    return RestoresUnderWay.capturing([this.restores], signal, async (begin) => {
      await settled;
      const captured = now ?? this.captureNow(name, metadata);
      // One that is there is not awaited: what is newer could be saved before it, and it would be the head behind that.
      const taken = captured instanceof Promise ? await captured : captured;
      begin();
      return use(taken);
    });
  }

  /** The live state without a wait for restores. */
  protected captureNow(name: string, metadata?: Metadata): Capture | Promise<Capture> {
    const { collect } = this.options;
    // Without `collect` the state is what the custom state gives: the type parameter says so.
    const state = collect === undefined ? (this.getCustomState() as unknown as State) : collect();
    return isThenable(state)
      ? Promise.resolve(state as Promise<State>).then((resolved) =>
          this.capture(name, resolved, this.#describe(metadata)),
        )
      : this.capture(name, state, this.#describe(metadata));
  }

  #describe(metadata: Metadata | undefined): Metadata {
    const custom = this.options.collect === undefined ? {} : this.getCustomState();
    return {
      context: this.getOperationalContext(),
      ...(Object.keys(custom).length > 0 && { custom }),
      ...metadata,
    };
  }

  /** Calls `apply`; a failure of it is `CKPT_APPLY_FAILED`. */
  protected async putBack(state: State, checkpointId: string): Promise<void> {
    try {
      await this.applyState(state);
    } catch (cause) {
      throw fail("CKPT_APPLY_FAILED", {
        message: `apply threw while it took over checkpoint ${checkpointId}: ${describeError(cause).message}`,
        hint: "The head is at that checkpoint; the live state is as apply left it. Correct apply and restore again, or undoRestore.",
        cause,
        details: { agentId: this.agentId, checkpointId },
      });
    }
  }
}
