import { CkptError } from "@ckpt/errors";
import type { ConformanceErrorCode } from "../errors.js";
import type { Disk } from "./disk.js";
import type { FaultPlan } from "./fault-plan.js";
import type { Operation, OperationKind } from "./operation.js";

/** Something that can be called at a moment of the run, before the next thing happens to the disk. */
export type Observer = (operation: Operation, phase: "before" | "midway") => void;

/** What handles and the file system of one simulated process have in common: its faults, its life, and the disk. */
export class FaultyProcess {
  readonly disk: Disk;
  readonly faults: FaultPlan;
  readonly locks: boolean;
  readonly #handles = new Set<() => void>();
  observer: Observer | undefined;
  /** How many turns of others an operation lets pass before it takes effect. */
  pace: (() => number) | undefined;
  #killed = false;

  constructor(disk: Disk, faults: FaultPlan, locks: boolean) {
    this.disk = disk;
    this.faults = faults;
    this.locks = locks;
  }

  /** Registers what is to happen to an open handle when the process dies. */
  opened(release: () => void): () => void {
    this.#handles.add(release);
    return () => this.#handles.delete(release);
  }

  kill(): void {
    this.#killed = true;
    for (const release of this.#handles) release();
    this.#handles.clear();
  }

  /**
   * Runs one operation: counts it, fails it as planned, and lets other calls in before it takes effect, as a real disk does.
   *
   * @param onClean what a failing sync that counts its pages as clean does.
   */
  async operate<T>(
    kind: OperationKind,
    path: string,
    effect: (operation: Operation) => T,
    sync: { readonly promises?: boolean; readonly onClean?: () => void } = {},
  ): Promise<T> {
    this.#requireAlive(kind, path);
    const decision = this.faults.begin(kind, path, sync.promises === true);
    for (let turns = 1 + (this.pace?.() ?? 0); turns > 0; turns--) await undefined;
    this.#requireAlive(kind, path);
    this.observer?.(decision.operation, "before");
    if (decision.before !== undefined) {
      if (decision.marksClean === true) sync.onClean?.();
      throw decision.before;
    }
    const result = effect(decision.operation);
    if (decision.after !== undefined) throw decision.after;
    return result;
  }

  #requireAlive(kind: OperationKind, path: string): void {
    if (!this.#killed) return;
    throw new CkptError<ConformanceErrorCode>("CKPT_PROCESS_KILLED", {
      message: `The process was killed before ${kind} ${path}.`,
      hint: "Use the view of another process: process() gives one.",
    });
  }
}
