import {
  exploreCuts,
  exploreFailedSyncs,
  exploreFaults,
  prepareScene,
  WORKLOADS,
  type Workload,
} from "@ckpt/conformance/explore";
import type { OpenStore } from "../stores.js";
import type { ExplorationReport, ExplorationTask } from "./task.js";

function workloadOf(name: string): Workload {
  const workload = WORKLOADS[name];
  if (workload === undefined) throw new Error(`no workload ${name}`);
  return workload;
}

/** Does a task in this process. */
export async function explore(
  task: ExplorationTask,
  open: OpenStore,
  onProgress: (done: number, total: number) => void,
): Promise<ExplorationReport> {
  const { kind, seed, shard, every, from } = task;
  const scene = from && {
    from: await prepareScene({
      workload: workloadOf(from.workload),
      open,
      cut: { mode: "torn", seed: from.seed },
      at: from.at,
    }),
  };
  const options = { workload: workloadOf(task.workload), open, seed, shard, every, onProgress, ...scene };
  const nothing = { states: [], operations: 0, failedSyncs: 0, faultedOperations: 0, typedErrors: 0 };
  if (kind === "cuts") {
    const report = await exploreCuts({ ...options, outcomes: task.outcomes ?? 1 });
    const { breaches, operations } = report;
    return { ...nothing, breaches, operations, states: [...report.states] };
  }
  if (kind === "failed-syncs") {
    const { outcomes = 1, first = Number.POSITIVE_INFINITY } = task;
    const report = await exploreFailedSyncs({ ...options, outcomes, first });
    const { breaches, failedSyncs, typedErrors } = report;
    return { ...nothing, breaches, failedSyncs, typedErrors, states: [...report.states] };
  }
  const { breaches, operations, runs, typedErrors } = await exploreFaults(options);
  return { ...nothing, breaches, operations, faultedOperations: runs, typedErrors };
}
