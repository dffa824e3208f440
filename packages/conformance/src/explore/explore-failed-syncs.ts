import { FaultPlan } from "../faulty-fs/fault-plan.js";
import { FaultyFileSystem } from "../faulty-fs/faulty-file-system.js";
import type { Breach } from "./check-ledger.js";
import { isEnough } from "./examine.js";
import { type CutOptions, examineFrames } from "./explore-cuts.js";
import { Ledger } from "./ledger.js";
import { recordRun } from "./record-run.js";
import { runWorkload } from "./run-workload.js";
import { momentsOf } from "./shard.js";

export interface FailedSyncOptions extends CutOptions {
  /** How many of the workload's syncs are failed, each in a run of its own. Default: all. */
  readonly first?: number;
  /** Only every n-th of them. Default 1. `every` thins out the power cuts that follow; `shard` is a part of the syncs. */
  readonly everySync?: number;
}

export interface FailedSyncReport {
  /** Syncs that were failed, in each of the three ways. */
  readonly failedSyncs: number;
  /** Different disks that were opened and checked. */
  readonly distinctStates: number;
  /** Their hashes: what shards have in common counts once. */
  readonly states: ReadonlySet<string>;
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
  const { shard, onProgress, ...cuts } = options;
  const { first = Number.POSITIVE_INFINITY, everySync, from, locks = true } = options;
  const start = (faults: FaultPlan) =>
    new FaultyFileSystem({ locks, faults, ...(from && { image: from.image }) });
  const freshLedger = () => from?.ledger.at(from.moment) ?? new Ledger();
  const disks = new Set<string>();
  const breaches: Breach[] = [];
  let [failedSyncs, typedErrors] = [0, 0];
  const calm = new FaultPlan();
  breaches.push(...(await runWorkload(start(calm), freshLedger(), options, "run without faults")).breaches);
  const moments = momentsOf(Math.min(first, calm.syncs), everySync, shard);
  for (const [done, moment] of moments.entries()) {
    if (isEnough(breaches, options)) break;
    const at = moment + 1;
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
      const result = await examineFrames(later, ledger, cuts, where, { disks, pairs: new Set() });
      breaches.push(...result.breaches);
    }
    onProgress?.(done + 1, moments.length);
  }
  return { failedSyncs, distinctStates: disks.size, states: disks, typedErrors, breaches };
}
