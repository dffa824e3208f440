import { hashImage } from "../faulty-fs/disk-image.js";
import type { FaultPlan } from "../faulty-fs/fault-plan.js";
import { FaultyFileSystem } from "../faulty-fs/faulty-file-system.js";
import { type CutMode, survivors } from "../faulty-fs/power-cut.js";
import type { Breach } from "./check-ledger.js";
import { type ExamineOptions, examineImage, isEnough } from "./examine.js";
import { Ledger } from "./ledger.js";
import { type Frame, recordRun } from "./record-run.js";
import type { RunOptions } from "./run-workload.js";
import type { Scene } from "./scene.js";
import { momentsOf, type Shard } from "./shard.js";

export interface CutOptions extends RunOptions, ExamineOptions {
  /** Default: all three. */
  readonly modes?: readonly CutMode[];
  /** How many outcomes of each reordered and torn cut are tried. Default 3. */
  readonly outcomes?: number;
  /** Only every n-th moment is tried. Default 1: all. */
  readonly every?: number;
  /** Only this part of the moments is tried. Default: all of them. */
  readonly shard?: Shard;
  /** Start from what an earlier cut left instead of an empty disk. */
  readonly from?: Scene;
  /**
   * Whether `tryLock` works on the simulated machine. Default true. False: a store that asks whether the process of a lease runs finds that it
   * does, since the simulated ones share the pid of the real one; set `goOn` to false, or tell the store of another boot.
   */
  readonly locks?: boolean;
  /** Called now and then with how far it is. */
  onProgress?(done: number, total: number): void;
}

export interface CutReport {
  /** File-system operations of the workload. */
  readonly operations: number;
  /** Power cuts that were simulated. */
  readonly cuts: number;
  /** How many different disks they left; each was opened and checked. */
  readonly distinctStates: number;
  /** Their hashes: what shards have in common counts once. */
  readonly states: ReadonlySet<string>;
  /** Commits that the workload had acknowledged. */
  readonly acknowledged: number;
  readonly breaches: readonly Breach[];
}

const ALL_MODES: readonly CutMode[] = ["strict", "reordered", "torn"];

/** Cuts the power at each frame, in each mode, and examines every disk that comes out of it once per state of the ledger. */
export async function examineFrames(
  frames: readonly Frame[],
  ledger: Ledger,
  options: Omit<CutOptions, "workload">,
  where: string,
  seen: { readonly disks: Set<string>; readonly pairs: Set<string> },
): Promise<{ cuts: number; breaches: Breach[] }> {
  const { modes = ALL_MODES, outcomes = 3, every, shard } = options;
  const breaches: Breach[] = [];
  let cuts = 0;
  const moments = momentsOf(frames.length, every, shard);
  for (const [done, i] of moments.entries()) {
    if (isEnough(breaches, options)) break;
    const { image, moment, operation } = frames[i]!;
    for (const mode of modes) {
      for (let outcome = 0; outcome < (mode === "strict" ? 1 : outcomes); outcome++) {
        cuts++;
        // The seed varies with the moment, so that not the same parts of a disk survive every time.
        const seed = operation * 1_000 + outcome;
        const disk = survivors(image, { mode, seed });
        const hash = hashImage(disk);
        seen.disks.add(hash);
        const pair = `${hash}:${moment}`;
        if (seen.pairs.has(pair)) continue;
        seen.pairs.add(pair);
        const at = `${where}${mode} cut at operation ${operation}, seed ${seed}`;
        breaches.push(...(await examineImage(disk, ledger, moment, options, at)));
      }
    }
    options.onProgress?.(done + 1, moments.length);
  }
  return { cuts, breaches };
}

/**
 * Runs a workload and cuts the power after every operation, and in the midst of every O_DSYNC write; for each way in which unsynced data may
 * survive, opens the store on what is left and checks that nothing acknowledged is lost, nothing wrong is returned, and work can go on.
 */
export async function exploreCuts(options: CutOptions, faults?: FaultPlan): Promise<CutReport> {
  const { from, locks = true } = options;
  const fs = new FaultyFileSystem({ locks, ...(from && { image: from.image }), ...(faults && { faults }) });
  const ledger = from?.ledger.at(from.moment) ?? new Ledger();
  const { frames, outcome } = await recordRun(fs, ledger, options, "run without faults");
  const seen = { disks: new Set<string>(), pairs: new Set<string>() };
  const { cuts, breaches } = await examineFrames(frames, ledger, options, "", seen);
  return {
    operations: fs.faults.operations,
    cuts,
    distinctStates: seen.disks.size,
    states: seen.disks,
    acknowledged: ledger.acknowledged,
    breaches: [...outcome.breaches, ...breaches],
  };
}
