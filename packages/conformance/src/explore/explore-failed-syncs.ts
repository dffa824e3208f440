import { FaultPlan } from "../faulty-fs/fault-plan.js";
import { FaultyFileSystem } from "../faulty-fs/faulty-file-system.js";
import type { Breach } from "./check-ledger.js";
import { isEnough } from "./examine.js";
import { type CutOptions, examineFrames } from "./explore-cuts.js";
import { Ledger } from "./ledger.js";
import { recordRun } from "./record-run.js";
import { runWorkload } from "./run-workload.js";

export interface FailedSyncOptions extends CutOptions {
  /** How many of the workload's syncs are failed, each in a run of its own. Default: all. */
  readonly first?: number;
  /** Only every n-th of them. Default 1. `every` thins out the power cuts that follow. */
  readonly everySync?: number;
}

export interface FailedSyncReport {
  /** Syncs that were failed, in each of the three ways. */
  readonly failedSyncs: number;
  /** Different disks that were opened and checked. */
  readonly distinctStates: number;
  readonly typedErrors: number;
  readonly breaches: readonly Breach[];
}

const WAYS = [
  { name: "without writing", marksClean: false, afterDoing: false },
  { name: "marking its pages clean", marksClean: true, afterDoing: false },
  { name: "having written", marksClean: false, afterDoing: true },
];

/**
 * Fails each of the workload's first syncs once (fsync, fdatasync, fsync of a directory, O_DSYNC write) in three ways, and cuts the power at every
 * moment afterwards. A store that trusts a file after a failed sync is caught here: what it acknowledges later is not on the disk.
 */
export async function exploreFailedSyncs(options: FailedSyncOptions): Promise<FailedSyncReport> {
  const { first = Number.POSITIVE_INFINITY, everySync = 1, from, locks = true } = options;
  const start = (faults: FaultPlan) =>
    new FaultyFileSystem({ locks, faults, ...(from && { image: from.image }) });
  const freshLedger = () => from?.ledger.at(from.moment) ?? new Ledger();
  const seen = { disks: new Set<string>(), pairs: new Set<string>() };
  const breaches: Breach[] = [];
  let [failedSyncs, typedErrors] = [0, 0];
  const calm = new FaultPlan();
  breaches.push(...(await runWorkload(start(calm), freshLedger(), options, "run without faults")).breaches);
  const last = Math.min(first, calm.syncs);
  for (let at = 1; at <= last && !isEnough(breaches, options); at += everySync) {
    for (const { name, marksClean, afterDoing } of WAYS) {
      const faults = new FaultPlan().failSync({ at, marksClean, afterDoing });
      const fs = start(faults);
      const ledger = freshLedger();
      const where = `sync ${at} failed ${name}, `;
      const { frames, outcome } = await recordRun(fs, ledger, options, where);
      breaches.push(...outcome.breaches);
      typedErrors += outcome.typedErrors;
      const failed = faults.trace.find((operation) => operation.syncIndex === at);
      if (failed === undefined) continue;
      failedSyncs++;
      const later = frames.filter((frame) => frame.operation > failed.index);
      // States are told apart per run: the same disk means something else after another history.
      const result = await examineFrames(later, ledger, options, where, {
        disks: seen.disks,
        pairs: new Set(),
      });
      breaches.push(...result.breaches);
    }
    options.onProgress?.(at, last);
  }
  return { failedSyncs, distinctStates: seen.disks.size, typedErrors, breaches };
}
