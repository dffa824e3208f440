import { type Breach, FAULT_KINDS, WORKLOADS } from "@ckpt/conformance/explore";
import { exploreAll } from "../exploration/pool.js";
import type { Beginning, ExplorationReport, ExplorationTask } from "../exploration/task.js";
import { type Context, type Counts, outcome, type Picture, type Scenario } from "../scenario.js";

const workloads = Object.keys(WORKLOADS);
/** Power cuts are tried in so many variants of each workload. */
const CUT_SEEDS = 4;

/** Explored one after another, each in so many parts that run beside each other. */
interface Plan extends Omit<ExplorationTask, "workload" | "from" | "seed" | "shard"> {
  readonly parts: number;
}

/** One variant of a workload, and what it begins with. */
type Subject = Pick<ExplorationTask, "workload" | "from" | "seed">;

/** What was found of each subject, its parts put together. */
async function exploreEach(
  context: Context,
  subjects: readonly Subject[],
  { parts, ...plan }: Plan,
): Promise<ExplorationReport[]> {
  const count = context.short ? 1 : parts;
  const tasks = subjects.flatMap((subject) =>
    Array.from({ length: count }, (_, index) => ({ ...plan, ...subject, shard: { index, count } })),
  );
  const reports = await exploreAll(tasks, context);
  return subjects.map((_, i) => together(reports.slice(i * count, (i + 1) * count)));
}

function together(reports: readonly ExplorationReport[]): ExplorationReport {
  const sum = (of: (report: ExplorationReport) => number) => reports.reduce((n, report) => n + of(report), 0);
  return {
    breaches: reports.flatMap((report) => report.breaches),
    states: [...new Set(reports.flatMap((report) => report.states))],
    operations: reports[0]?.operations ?? 0,
    failedSyncs: sum((report) => report.failedSyncs),
    faultedOperations: sum((report) => report.faultedOperations),
    typedErrors: sum((report) => report.typedErrors),
  };
}

const sumOf = (reports: readonly ExplorationReport[], of: (report: ExplorationReport) => number): number =>
  reports.reduce((sum, report) => sum + of(report), 0);

/** Sorts breaches into the counts that a run adds up. */
function judged(
  { seed }: Context,
  reports: readonly ExplorationReport[],
): Pick<Counts, "lost" | "wrong"> & { failures: string[] } {
  const breaches: Breach[] = reports.flatMap((report) => report.breaches);
  return {
    lost: breaches.filter((b) => b.kind === "lost" || b.kind === "unreadable" || b.kind === "unopenable")
      .length,
    wrong: breaches.filter((b) => b.kind === "wrong" || b.kind === "torn" || b.kind === "resurrected").length,
    failures: breaches.map((b) => `seed ${seed}, ${b.kind}: ${JSON.stringify(b)}`),
  };
}

export const powerCuts: Scenario = {
  name: "power-cuts",
  anyStore: true,
  does: `cuts the power before every operation and in the midst of every write of ${workloads.length} workloads; unsynced data are lost, reordered or torn.`,
  proves:
    "after any power cut the store opens, holds all that was acknowledged, and returns nothing that was not put.",
  async run(context) {
    const seeds = Array.from({ length: context.short ? 1 : CUT_SEEDS }, (_, i) => context.seed + i);
    const reports = await exploreEach(
      context,
      workloads.flatMap((workload) => seeds.map((seed) => ({ workload, seed }))),
      { kind: "cuts", parts: 2, every: context.short ? 7 : 1, outcomes: context.short ? 1 : 4 },
    );
    const points: Picture["points"][number][] = [];
    let [operations, cutStates] = [0, 0];
    for (const report of reports) {
      cutStates += report.states.length;
      points.push({ x: operations, y: cutStates });
      operations += report.operations;
      points.push({ x: operations, y: cutStates });
    }
    const { failures, ...counts } = judged(context, reports);
    const pictures = [
      { title: "different disks that were opened", xLabel: "operations", yLabel: "cut states", points },
    ];
    return outcome({ cutStates, ...counts }, failures, {
      pictures,
      notes: [`${workloads.length} workloads in ${seeds.length} variants, ${operations} operations`],
    });
  },
};

export const failedSyncs: Scenario = {
  name: "failed-syncs",
  anyStore: true,
  does: "fails each of the first 24 syncs (fsync, fdatasync, O_DSYNC write), having written or not, and cuts the power at every later moment.",
  proves: "a file is never trusted again after a failed sync.",
  async run(context) {
    const chosen = workloads.filter((name) => !context.short || name === "batches");
    const reports = await exploreEach(
      context,
      chosen.map((workload) => ({ workload, seed: context.seed })),
      { kind: "failed-syncs", parts: 4, first: context.short ? 6 : 24, every: context.short ? 11 : 3 },
    );
    const { failures, ...counts } = judged(context, reports);
    const cutStates = sumOf(reports, (report) => report.states.length);
    const failed = sumOf(reports, (report) => report.failedSyncs);
    return outcome({ failedSyncs: failed, cutStates, ...counts }, failures);
  },
};

/** Crashes in the midst of a compaction: recovery from them is what is explored. */
const CRASHES: readonly Beginning[] = [
  { workload: "compaction", seed: 1, at: 0.4 },
  { workload: "compaction", seed: 2, at: 0.7 },
  { workload: "compaction", seed: 3, at: 1 },
];

export const faults: Scenario = {
  name: "faults",
  anyStore: true,
  does: `puts each of ${FAULT_KINDS.length} kinds of fault at every operation of writing, opening, compaction and recovery.`,
  proves:
    "every call succeeds or rejects with a typed error, nothing hangs, and the next clean start has everything acknowledged.",
  async run(context) {
    const { seed } = context;
    const subjects: Subject[] = [
      ...workloads.map((workload) => ({ workload, seed })),
      ...CRASHES.map((from) => ({ workload: "restarts", seed, from })),
    ];
    const reports = await exploreEach(context, subjects, {
      kind: "faults",
      parts: 8,
      every: context.short ? 197 : 1,
    });
    const { failures, ...counts } = judged(context, reports);
    const faultedOperations = sumOf(reports, (report) => report.faultedOperations);
    return outcome({ faultedOperations, ...counts }, failures, {
      notes: [
        `${sumOf(reports, (report) => report.typedErrors)} calls rejected, each with a typed error`,
        `every one of ${sumOf(reports, (report) => report.operations)} operations`,
      ],
    });
  },
};
