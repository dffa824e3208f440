import { isThenable, type Metadata } from "@ckpt/core";
import { fail, invalidArgument } from "./errors.js";
import { requireCollectAndApply, requireRun } from "./guard.js";
import { LoopEnding } from "./loop-ending.js";
import {
  type LoopOptions,
  type LoopSettings,
  type LoopSummary,
  loopSettings,
  type StepContext,
} from "./loop-options.js";
import { kitOf, type ManagerKit } from "./manager-kit.js";
import { describeError } from "./place-failure.js";
import type { ResilientCheckpointManager } from "./resilient-manager.js";

export type LoopStep = (step: StepContext) => unknown;

/**
 * Runs an agent's step again and again, with everything around it that a long run needs: a routine checkpoint every 30 minutes, a
 * recovery checkpoint and refresh after 2 hours, on drift a recovery checkpoint and the restore of the latest checkpoint from before it
 * began, on an error a recovery checkpoint and on with it (with growing pauses, bounded in a row), at the end (`step.stop()`, the
 * signal, SIGTERM, SIGINT) a final checkpoint. All of it is settable. Does not call `recover`: do that first.
 *
 * Resolves to a summary; the process goes on, ending it is the caller's. Rejects with `CKPT_INVALID_ARGUMENT` without `collect` and
 * `apply`, with `CKPT_LOOP_FAILED` (`cause` the last error, details the summary) after too many errors or drift restores.
 */
export async function superviseLoop<State>(
  manager: ResilientCheckpointManager<State>,
  step: LoopStep,
  options: LoopOptions = {},
): Promise<LoopSummary> {
  const kit = kitOf(manager);
  if (kit === undefined)
    throw invalidArgument("This is no ResilientCheckpointManager", "Give a manager of this package.");
  requireCollectAndApply(kit, "superviseLoop");
  requireRun(step, "superviseLoop", "step");
  const settings = loopSettings(options);
  const ending = new LoopEnding(settings);
  try {
    return await new Supervisor(manager, kit, step, settings, ending).run();
  } finally {
    ending.dispose();
  }
}

class Supervisor<State> {
  readonly #manager: ResilientCheckpointManager<State>;
  readonly #kit: Pick<ManagerKit<State>, "report">;
  readonly #step: LoopStep;
  readonly #settings: LoopSettings;
  readonly #ending: LoopEnding;
  readonly #counts = {
    steps: 0,
    errors: 0,
    routineCheckpoints: 0,
    recoveryCheckpoints: 0,
    driftRestores: 0,
    refreshes: 0,
  };
  #errorsInRow = 0;
  #restoresInRow = 0;
  #lastRestoreMs = Number.NEGATIVE_INFINITY;
  #lastTargetSequence: number | undefined;
  #routineAtMs: number;
  #refreshedAtMs: number;

  constructor(
    manager: ResilientCheckpointManager<State>,
    kit: Pick<ManagerKit<State>, "report">,
    step: LoopStep,
    settings: LoopSettings,
    ending: LoopEnding,
  ) {
    this.#manager = manager;
    this.#kit = kit;
    this.#step = step;
    this.#settings = settings;
    this.#ending = ending;
    this.#routineAtMs = settings.clock.now();
    this.#refreshedAtMs = this.#routineAtMs;
  }

  async run(): Promise<LoopSummary> {
    while (this.#ending.reason === undefined) {
      if (this.#counts.steps >= this.#settings.maxSteps) this.#ending.end("max-steps");
      else await this.#turn();
    }
    return this.#finish();
  }

  async #turn(): Promise<void> {
    try {
      await this.#runStep();
      await this.#afterStep();
      this.#errorsInRow = 0;
    } catch (error) {
      await this.#afterError(error);
    }
  }

  async #runStep(): Promise<void> {
    const { clock } = this.#settings;
    const startMs = clock.now();
    let observed = false;
    const context: StepContext = {
      number: ++this.#counts.steps,
      signal: this.#ending.signal,
      stop: () => this.#ending.end("stopped"),
      observe: ({ durationMs, tokens, metrics, ...signal }) => {
        observed = true;
        const own = {
          ...(durationMs !== undefined && { durationMs }),
          ...(tokens !== undefined && { tokens }),
        };
        return this.#manager.observe({ step: context.number, ...signal, metrics: { ...own, ...metrics } });
      },
    };
    try {
      await this.#ending.orGrace((async () => this.#step(context))());
      if (!observed) context.observe({ durationMs: clock.now() - startMs, outcome: "ok" });
    } catch (error) {
      context.observe({ durationMs: clock.now() - startMs, outcome: "error" });
      throw error;
    }
  }

  async #afterStep(): Promise<void> {
    const { clock, everyStep, routineEveryMs, refreshEveryMs } = this.#settings;
    // What drifted is not saved as routine: the history from before stays what is restored from.
    if (this.#manager.detectDrift()) return this.#afterDrift();
    const nowMs = clock.now();
    if (everyStep || nowMs - this.#routineAtMs >= routineEveryMs) {
      await this.#manager.createCheckpoint("routine");
      this.#counts.routineCheckpoints++;
      this.#routineAtMs = nowMs;
    }
    if (nowMs - this.#refreshedAtMs >= refreshEveryMs) await this.#refresh(nowMs);
    // A save may be what showed it: a state that repeats, a size that jumped.
    if (this.#manager.detectDrift()) await this.#afterDrift();
  }

  async #refresh(nowMs: number): Promise<void> {
    const { refresh } = this.#settings;
    const saved = await this.#recoveryCheckpoint({ reason: "refresh" });
    this.#refreshedAtMs = nowMs;
    this.#counts.refreshes++;
    if (refresh !== undefined) await refresh();
    else await this.#manager.restoreCheckpoint(saved, { reason: "refresh" });
  }

  async #afterDrift(): Promise<void> {
    const { clock, onDrift, maxDriftRestores, routineEveryMs } = this.#settings;
    const verdict = this.#manager.driftVerdict();
    if ((await onDrift?.(verdict)) === "ignore") return this.#manager.acknowledgeDrift();
    const nowMs = clock.now();
    if (nowMs - this.#lastRestoreMs > routineEveryMs) {
      this.#restoresInRow = 0;
      this.#lastTargetSequence = undefined;
    }
    this.#lastRestoreMs = nowMs;
    const before = await this.#target();
    const evidence = verdict.evidence
      .map(({ message }) => message)
      .join("; ")
      .slice(0, 1_000);
    try {
      await this.#recoveryCheckpoint({ reason: "drift", evidence });
    } catch (error) {
      // A state that cannot even be saved has to go all the more.
      this.#tell(error);
    }
    if (before === undefined || ++this.#restoresInRow > maxDriftRestores) {
      throw this.#giveUp("drift came back after every restore, or there is nothing to restore from", verdict);
    }
    this.#lastTargetSequence = before.sequence;
    await this.#manager.restoreCheckpoint(before, { reason: "drift" });
    this.#counts.driftRestores++;
    this.#manager.acknowledgeDrift();
  }

  /** The latest checkpoint from before the drift; when that did not help the last time, the one before it. */
  async #target() {
    const before = await this.#manager.getCheckpointBeforeDrift();
    if (before === undefined || this.#lastTargetSequence === undefined) return before;
    if (before.sequence < this.#lastTargetSequence) return before;
    const line = await this.#manager.getAll();
    return line.findLast(({ sequence }) => sequence < this.#lastTargetSequence!) ?? before;
  }

  async #afterError(error: unknown): Promise<void> {
    if (error instanceof LoopGivesUp) throw error.reason;
    const { clock, maxConsecutiveErrors, minErrorDelayMs, maxErrorDelayMs } = this.#settings;
    this.#counts.errors++;
    this.#errorsInRow++;
    const { code, message } = describeError(error);
    this.#tell(error);
    try {
      await this.#recoveryCheckpoint({ reason: "error", error: `${code}: ${message}`.slice(0, 1_000) });
    } catch (saveError) {
      // The step's error is the one that counts; this one is on record.
      this.#tell(saveError);
    }
    if (this.#errorsInRow >= maxConsecutiveErrors) {
      throw this.#giveUp(`${this.#errorsInRow} steps in a row failed`, error).reason;
    }
    await this.#driftAfterError();
    if (this.#ending.reason !== undefined) return;
    const delayMs = Math.min(minErrorDelayMs * 2 ** (this.#errorsInRow - 1), maxErrorDelayMs);
    await clock.sleep(delayMs, this.#ending.signal);
  }

  /** A streak of errors may itself be the drift. */
  async #driftAfterError(): Promise<void> {
    if (!this.#manager.detectDrift()) return;
    try {
      await this.#afterDrift();
    } catch (error) {
      if (error instanceof LoopGivesUp) throw error.reason;
      this.#tell(error);
    }
  }

  /** What `onError` itself throws is reported: it must not end the loop that it watches. */
  #tell(error: unknown): void {
    const report = (failure: unknown) => this.#kit.report("onError of the supervised loop", failure);
    try {
      const telling: unknown = this.#settings.onError?.(error);
      if (isThenable(telling)) Promise.resolve(telling).catch(report);
    } catch (failure) {
      report(failure);
    }
  }

  async #recoveryCheckpoint(metadata: Metadata) {
    const saved = await this.#manager.createCheckpoint("recovery", metadata);
    this.#counts.recoveryCheckpoints++;
    return saved;
  }

  #giveUp(why: string, cause: unknown): LoopGivesUp {
    return new LoopGivesUp(
      fail("CKPT_LOOP_FAILED", {
        message: `The supervised loop gave up after ${this.#counts.steps} steps: ${why}`,
        hint: "The state is saved as a recovery checkpoint. Look at the cause; try an earlier checkpoint, or raise the limit.",
        cause,
        details: { ...this.#counts },
      }),
    );
  }

  async #finish(): Promise<LoopSummary> {
    const reason = this.#ending.reason ?? "stopped";
    const midStep = this.#ending.leftStepBehind;
    let finalCheckpointId: string | null = null;
    let finalError: unknown;
    try {
      const metadata = { reason: `final: ${reason}`, ...(midStep && { midStep }) };
      finalCheckpointId = (await this.#manager.createCheckpoint("routine", metadata)).id;
      this.#counts.routineCheckpoints++;
    } catch (error) {
      finalError = error;
      this.#tell(error);
    }
    return { reason, ...this.#counts, finalCheckpointId, finalError };
  }
}

/** Ends the loop from within a turn, past its error handling. */
class LoopGivesUp {
  readonly reason: Error;
  constructor(reason: Error) {
    this.reason = reason;
  }
}
