/** Compaction and repair as the store offers them: one at a time, by itself where that is wanted. */
import { type CompactionReport, throwIfAborted } from "@ckpt/core";
import { isCkptError } from "@ckpt/errors";
import { classify, toCkptError } from "@ckpt/io";
import { AutoCompaction } from "./auto-compaction.js";
import { compactHeld } from "./compaction.js";
import type { DeadWriters } from "./dead-writers.js";
import type { Findings } from "./findings.js";
import { foldHeld } from "./fold.js";
import { Gate } from "./gate.js";
import { type MaintenanceContext, underMaintenance } from "./maintenance.js";
import type { OwnWriter } from "./own-writer.js";
import { closedMeanwhile } from "./refusals.js";
import { planRepair, type RepairReport, repairHeld } from "./repair.js";

/** Why maintenance ends when its store is closed. */
const STOPPED = Symbol("closed");

export interface StoreMaintenanceContext extends Omit<MaintenanceContext, "writer"> {
  readonly findings: Findings;
  /** The writer of this process, begun where it is not. */
  writer(): Promise<OwnWriter>;
}

export interface CompactOptions {
  readonly signal?: AbortSignal | undefined;
  readonly maxBytes?: number | undefined;
}

export class StoreMaintenance {
  readonly #context: StoreMaintenanceContext;
  readonly #gate = new Gate(1);
  readonly #auto: AutoCompaction | undefined;
  /** What is under way or waits, each with what ends it. */
  readonly #underWay = new Map<Promise<unknown>, AbortController>();
  #isStopped = false;

  constructor(context: StoreMaintenanceContext) {
    this.#context = context;
    if (!context.options.autoCompact) return;
    this.#auto = new AutoCompaction(context.catalog, context.findings, (options) => this.compact(options));
  }

  /** With `maxBytes`, what {@link foldHeld} does. */
  async compact({ signal, maxBytes }: CompactOptions): Promise<CompactionReport> {
    const { bytesBefore, bytesAfter, removedFiles } = await this.#run(
      "compact",
      signal,
      (context, dead, signal) =>
        maxBytes === undefined
          ? compactHeld(context, dead, { signal, salvage: false })
          : foldHeld(context, dead, maxBytes, signal),
    );
    return { bytesBefore, bytesAfter, removedFiles };
  }

  repair(signal: AbortSignal | undefined): Promise<RepairReport> {
    return this.#run("repair", signal, repairHeld);
  }

  /** What {@link repair} would do. Writes nothing. */
  async plan(signal: AbortSignal | undefined): Promise<RepairReport> {
    const { catalog, layout } = this.#context;
    try {
      await catalog.directory.refresh();
      return await planRepair(this.#context, signal);
    } catch (error) {
      throw toCkptError(error, { doing: "plan a repair of the store in", path: layout.root });
    }
  }

  /** Called after a commit: compacts in the background where that is worth it. */
  consider(): void {
    this.#auto?.consider();
  }

  /** Called before an agent is taken: what many processes that died early have left must not pile up. */
  async relieve(): Promise<void> {
    await this.#auto?.relieve();
  }

  /** Ends what is under way, at its next step, and waits for that. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    for (const abort of this.#underWay.values()) abort.abort(STOPPED);
    await this.#auto?.stop();
    await Promise.allSettled(this.#underWay.keys());
  }

  async #run<T>(
    call: string,
    signal: AbortSignal | undefined,
    work: (context: MaintenanceContext, dead: DeadWriters, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const abort = new AbortController();
    const forward = () => abort.abort(signal?.reason);
    if (signal?.aborted) forward();
    signal?.addEventListener("abort", forward);
    if (this.#isStopped) abort.abort(STOPPED);
    const running = this.#inTurn(abort.signal, work);
    this.#underWay.set(running, abort);
    try {
      return await running;
    } catch (error) {
      if (abort.signal.reason === STOPPED && isCkptError(error, "CKPT_ABORTED"))
        throw closedMeanwhile(call, error);
      throw toCkptError(error, { doing: "maintain the store in", path: this.#context.layout.root });
    } finally {
      this.#underWay.delete(running);
      signal?.removeEventListener("abort", forward);
    }
  }

  #inTurn<T>(
    signal: AbortSignal,
    work: (context: MaintenanceContext, dead: DeadWriters, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const { fs, layout, options, catalog } = this.#context;
    return this.#gate.run(async () => {
      throwIfAborted(signal, "maintenance");
      const context = { fs, layout, options, catalog, writer: await this.#context.writer() };
      await catalog.directory.refresh();
      return this.#withReserve(context, () =>
        underMaintenance(context, (dead) => work(context, dead, signal)),
      );
    });
  }

  /** A full disk gives its reserve up for the work that makes room. */
  async #withReserve<T>({ writer }: MaintenanceContext, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (classify(error) !== "no-space" || !(await writer.reserve.release())) throw error;
      return work();
    }
  }
}
