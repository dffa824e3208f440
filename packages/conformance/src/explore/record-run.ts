import type { DiskImage } from "../faulty-fs/disk-image.js";
import type { FaultyFileSystem } from "../faulty-fs/faulty-file-system.js";
import { CHANGES_DISK } from "../faulty-fs/operation.js";
import type { Ledger } from "./ledger.js";
import { type RunOptions, type RunOutcome, runWorkload } from "./run-workload.js";

/** The disk at a moment of a run, and where the ledger stood. */
export interface Frame {
  readonly image: DiskImage;
  readonly moment: number;
  /** The operation before which, or in the midst of which, it was taken. */
  readonly operation: number;
}

/**
 * Runs a workload once and keeps the disk as it was before every operation, in the midst of every O_DSYNC write, and at the end: all the
 * moments at which a power cut makes a difference. Cutting there is the same as cutting a run of its own there, and costs no run.
 */
export async function recordRun(
  fs: FaultyFileSystem,
  ledger: Ledger,
  options: RunOptions,
  where: string,
): Promise<{ readonly frames: readonly Frame[]; readonly outcome: RunOutcome }> {
  const frames: Frame[] = [];
  let changed = true;
  let moment = -1;
  const take = (operation: number) => {
    frames.push({ image: fs.image(), moment: ledger.moment, operation });
    changed = false;
    moment = ledger.moment;
  };
  fs.observe((operation, phase) => {
    if (changed || moment !== ledger.moment || phase === "midway") take(operation.index);
    if (CHANGES_DISK.includes(operation.kind)) changed = true;
  });
  const outcome = await runWorkload(fs, ledger, options, where);
  fs.observe(undefined);
  take(fs.faults.operations + 1);
  return { frames, outcome };
}
