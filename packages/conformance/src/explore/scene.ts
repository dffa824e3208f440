import type { DiskImage } from "../faulty-fs/disk-image.js";
import { FaultyFileSystem } from "../faulty-fs/faulty-file-system.js";
import { type PowerCutOptions, survivors } from "../faulty-fs/power-cut.js";
import { Ledger } from "./ledger.js";
import { recordRun } from "./record-run.js";
import type { RunOptions } from "./run-workload.js";

/** A disk that a crash left, and what was known at that moment: where the next exploration can begin. */
export interface Scene {
  readonly image: DiskImage;
  readonly ledger: Ledger;
  readonly moment: number;
}

export interface SceneOptions extends RunOptions {
  readonly cut: PowerCutOptions;
  /** When the power is cut, as a share of the run's operations from 0 to 1. Default 1: at its end. */
  readonly at?: number;
  readonly locks?: boolean;
}

/** Runs a workload, cuts the power somewhere in it, and hands over what is left. For exploring recovery itself. */
export async function prepareScene(options: SceneOptions): Promise<Scene> {
  const { cut, at = 1, locks = true } = options;
  const ledger = new Ledger();
  const { frames } = await recordRun(new FaultyFileSystem({ locks }), ledger, options, "preparation");
  const frame = frames[Math.min(frames.length - 1, Math.floor(at * frames.length))]!;
  return { image: survivors(frame.image, cut), ledger: ledger.at(frame.moment), moment: frame.moment };
}
