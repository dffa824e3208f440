import { FaultyFileSystem } from "../faulty-fs/faulty-file-system.js";
import type { Breach } from "./check-ledger.js";
import { type ExamineOptions, examineDisk, isEnough } from "./examine.js";
import { FAULT_KINDS, type FaultKind } from "./fault-kinds.js";
import { Ledger } from "./ledger.js";
import { type RunOptions, runWorkload } from "./run-workload.js";
import type { Scene } from "./scene.js";
import { momentsOf, type Shard } from "./shard.js";

export interface FaultOptions extends RunOptions, ExamineOptions {
  /** Default: {@link FAULT_KINDS}. */
  readonly kinds?: readonly FaultKind[];
  /** Only every n-th operation is faulted. Default 1: all. */
  readonly every?: number;
  /** Only this part of the operations is faulted. Default: all of them. */
  readonly shard?: Shard;
  /** Start from what an earlier cut left: faults then hit opening and recovery. */
  readonly from?: Scene;
  readonly locks?: boolean;
  onProgress?(done: number, total: number): void;
}

export interface FaultReport {
  /** Operations of the workload without faults: each was hit by each kind. */
  readonly operations: number;
  /** Runs with a fault. */
  readonly runs: number;
  /** Errors that calls rejected with, all of them `CkptError`s. */
  readonly typedErrors: number;
  readonly breaches: readonly Breach[];
}

/**
 * Runs a workload once per operation and kind of fault, with that fault at that operation. Every call must succeed or reject with a typed
 * error, none may hang; and once the fault is gone, a clean start must find everything acknowledged: after the process died, and after a
 * power cut on top.
 */
export async function exploreFaults(options: FaultOptions): Promise<FaultReport> {
  const { kinds = FAULT_KINDS, every, shard, from, locks = true } = options;
  const start = () => ({ locks, ...(from && { image: from.image }) });
  const freshLedger = () => from?.ledger.at(from.moment) ?? new Ledger();
  const calm = new FaultyFileSystem(start());
  const breaches: Breach[] = [
    ...(await runWorkload(calm, freshLedger(), options, "run without faults")).breaches,
  ];
  const { operations } = calm.faults;
  let typedErrors = 0;
  let runs = 0;
  const moments = momentsOf(operations, every, shard);
  for (const [done, moment] of moments.entries()) {
    if (isEnough(breaches, options)) break;
    const at = moment + 1;
    for (const kind of kinds) {
      runs++;
      const where = `${kind.name} at operation ${at}`;
      const ledger = freshLedger();
      const fs = new FaultyFileSystem({ ...start(), faults: kind.plan(at) });
      const outcome = await runWorkload(fs, ledger, options, where);
      typedErrors += outcome.typedErrors;
      breaches.push(...outcome.breaches);
      fs.killProcess();
      const cut = fs.powerCut({ mode: "strict" });
      breaches.push(
        ...(await examineDisk(fs.process(), ledger, ledger.moment, options, `${where}, then a fresh start`)),
      );
      breaches.push(
        ...(await examineDisk(cut, ledger, ledger.moment, options, `${where}, then a power cut`)),
      );
    }
    options.onProgress?.(done + 1, moments.length);
  }
  return { operations, runs, typedErrors, breaches };
}
