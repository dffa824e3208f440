/** A part of an exploration that a process of its own can do: plain data, so that it can be sent there. */
import type { Breach, Shard } from "@ckpt/conformance/explore";

/** What a crash in the midst of another workload left: exploring begins there. */
export interface Beginning {
  readonly workload: string;
  readonly seed: number;
  /** When the power is cut, as a share of the workload's operations. */
  readonly at: number;
}

export interface ExplorationTask {
  readonly kind: "cuts" | "failed-syncs" | "faults";
  /** A name of `WORKLOADS`. */
  readonly workload: string;
  readonly from?: Beginning;
  /** Of the workload's own randomness. */
  readonly seed: number;
  readonly shard: Shard;
  readonly every: number;
  /** How many outcomes of each reordered and torn cut are tried. */
  readonly outcomes?: number;
  /** How many syncs are failed. */
  readonly first?: number;
}

export interface ExplorationReport {
  readonly breaches: readonly Breach[];
  /** Hashes of the disks that were opened. */
  readonly states: readonly string[];
  /** File-system operations of the workload without faults. */
  readonly operations: number;
  readonly failedSyncs: number;
  readonly faultedOperations: number;
  readonly typedErrors: number;
}

export const nameOf = ({ workload, from, seed, shard }: ExplorationTask): string =>
  `${from === undefined ? workload : `recovery ${from.seed}`} with seed ${seed}, part ${shard.index + 1}/${shard.count}`;
