import {
  type Breach,
  exploreCuts,
  exploreFailedSyncs,
  exploreFaults,
  FAULT_KINDS,
  prepareScene,
  WORKLOADS,
} from "@ckpt/conformance/explore";
import { type Context, type Counts, outcome, type Picture, type Scenario } from "../scenario.js";

const workloads = Object.entries(WORKLOADS);

/** Sorts breaches into the counts that a run adds up. */
function judged(breaches: readonly Breach[]): Pick<Counts, "lost" | "wrong"> & { failures: string[] } {
  return {
    lost: breaches.filter((b) => b.kind === "lost" || b.kind === "unreadable" || b.kind === "unopenable")
      .length,
    wrong: breaches.filter((b) => b.kind === "wrong" || b.kind === "torn" || b.kind === "resurrected").length,
    failures: breaches.map((b) => `${b.kind}: ${JSON.stringify(b)}`),
  };
}

const progress = (context: Context, name: string) => (done: number, total: number) =>
  context.progress(`${name} ${done}/${total}`);

export const powerCuts: Scenario = {
  name: "power-cuts",
  anyStore: true,
  does: "cuts the power before every operation and in the midst of every write of seven workloads; unsynced data are lost, reordered or torn.",
  proves:
    "after any power cut the store opens, holds all that was acknowledged, and returns nothing that was not put.",
  async run(context) {
    const breaches: Breach[] = [];
    const points: Picture["points"][number][] = [];
    let cutStates = 0;
    let operations = 0;
    for (const [name, workload] of workloads) {
      const report = await exploreCuts({
        workload,
        open: context.open,
        every: context.short ? 7 : 1,
        outcomes: context.short ? 1 : 4,
        onProgress: progress(context, name),
      });
      breaches.push(...report.breaches);
      cutStates += report.distinctStates;
      points.push({ x: operations, y: cutStates });
      operations += report.operations;
      points.push({ x: operations, y: cutStates });
    }
    const { failures, ...counts } = judged(breaches);
    const pictures = [
      { title: "different disks that were opened", xLabel: "operations", yLabel: "cut states", points },
    ];
    return outcome({ cutStates, ...counts }, failures, {
      pictures,
      notes: [`${workloads.length} workloads, ${operations} operations`],
    });
  },
};

export const failedSyncs: Scenario = {
  name: "failed-syncs",
  anyStore: true,
  does: "fails each of the first 24 syncs (fsync, fdatasync, O_DSYNC write), having written or not, and cuts the power at every later moment.",
  proves: "a file is never trusted again after a failed sync.",
  async run(context) {
    const breaches: Breach[] = [];
    let failed = 0;
    let states = 0;
    const chosen = context.short ? workloads.filter(([name]) => name === "batches") : workloads;
    for (const [name, workload] of chosen) {
      const report = await exploreFailedSyncs({
        workload,
        open: context.open,
        first: context.short ? 6 : 24,
        every: context.short ? 11 : 3,
        outcomes: 1,
        onProgress: progress(context, name),
      });
      breaches.push(...report.breaches);
      failed += report.failedSyncs;
      states += report.distinctStates;
    }
    const { failures, ...counts } = judged(breaches);
    return outcome({ failedSyncs: failed, cutStates: states, ...counts }, failures);
  },
};

export const faults: Scenario = {
  name: "faults",
  anyStore: true,
  does: `puts each of ${FAULT_KINDS.length} kinds of fault at every operation of writing, opening, compaction and recovery.`,
  proves:
    "every call succeeds or rejects with a typed error, nothing hangs, and the next clean start has everything acknowledged.",
  async run(context) {
    const breaches: Breach[] = [];
    let runs = 0;
    let typed = 0;
    const { open } = context;
    const every = context.short ? 197 : 1;
    for (const [name, workload] of workloads) {
      const report = await exploreFaults({ workload, open, every, onProgress: progress(context, name) });
      breaches.push(...report.breaches);
      runs += report.runs;
      typed += report.typedErrors;
    }
    for (const [seed, at] of [
      [1, 0.4],
      [2, 0.7],
      [3, 1],
    ] as const) {
      const from = await prepareScene({
        workload: WORKLOADS.compaction!,
        open,
        cut: { mode: "torn", seed },
        at,
      });
      const report = await exploreFaults({
        workload: WORKLOADS.restarts!,
        open,
        from,
        every,
        onProgress: progress(context, `recovery ${seed}`),
      });
      breaches.push(...report.breaches);
      runs += report.runs;
      typed += report.typedErrors;
    }
    const { failures, ...counts } = judged(breaches);
    return outcome({ faultedOperations: runs, ...counts }, failures, {
      notes: [`${typed} calls rejected, each with a typed error`],
    });
  },
};
