/** Compaction and repair as the store offers them: one at a time, by itself where that is wanted. */
import type { CompactionReport } from "@ckpt/core";
import { classify, toCkptError } from "@ckpt/io";
import { AutoCompaction } from "./auto-compaction.js";
import { compactHeld } from "./compaction.js";
import type { DeadWriters } from "./dead-writers.js";
import type { Findings } from "./findings.js";
import { foldHeld } from "./fold.js";
import { Gate } from "./gate.js";
import { type MaintenanceContext, underMaintenance } from "./maintenance.js";
import type { OwnWriter } from "./own-writer.js";
import { planRepair, type RepairReport, repairHeld } from "./repair.js";

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

  constructor(context: StoreMaintenanceContext) {
    this.#context = context;
    if (!context.options.autoCompact) return;
    this.#auto = new AutoCompaction(context.catalog, context.findings, (options) => this.compact(options));
  }

  /** With `maxBytes`, what {@link foldHeld} does. */
  async compact({ signal, maxBytes }: CompactOptions): Promise<CompactionReport> {
    const { bytesBefore, bytesAfter, removedFiles } = await this.#run((context, dead) =>
      maxBytes === undefined
        ? compactHeld(context, dead, { signal, salvage: false })
        : foldHeld(context, dead, maxBytes, signal),
    );
    return { bytesBefore, bytesAfter, removedFiles };
  }

  repair(signal: AbortSignal | undefined): Promise<RepairReport> {
    return this.#run((context, dead) => repairHeld(context, dead, signal));
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

  async stop(): Promise<void> {
    await this.#auto?.stop();
  }

  async #run<T>(work: (context: MaintenanceContext, dead: DeadWriters) => Promise<T>): Promise<T> {
    const { fs, layout, options, catalog } = this.#context;
    return this.#gate.run(async () => {
      try {
        const context = { fs, layout, options, catalog, writer: await this.#context.writer() };
        await catalog.directory.refresh();
        return await this.#withReserve(context, () =>
          underMaintenance(context, (dead) => work(context, dead)),
        );
      } catch (error) {
        throw toCkptError(error, { doing: "maintain the store in", path: layout.root });
      }
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
