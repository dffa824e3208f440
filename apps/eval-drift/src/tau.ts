import { Siblings } from "@ckpt/drift";
import { readJsonLines } from "./data.js";
import { compare, plain, type Section } from "./report.js";
import { areaUnderCurve } from "./statistics.js";

interface TauRun {
  readonly task: number;
  readonly trial: number;
  readonly reward: number;
  readonly steps: readonly {
    readonly kind: string;
    readonly tool?: string;
    readonly args?: string;
    readonly len?: number;
    readonly olen?: number;
  }[];
}

/** tau-bench airline: the failing run from its siblings on the same task. */
export async function evaluateSiblings(root: string): Promise<Section> {
  const runs = await readJsonLines<TauRun>(root, "tau-airline-gpt4o.jsonl");
  const scored = [...new Set(runs.map((run) => run.task))].flatMap((task) =>
    scoreTask(runs.filter((run) => run.task === task)),
  );
  const auc = (score: (entry: (typeof scored)[number]) => number): number =>
    areaUnderCurve(
      scored.filter((e) => e.run.reward < 1).map(score),
      scored.filter((e) => e.run.reward >= 1).map(score),
    );
  const characters = (e: (typeof scored)[number]): number =>
    e.run.steps.reduce((n, s) => n + (s.len ?? 0) + (s.olen ?? 0), 0);
  return {
    id: 6,
    title: `tau-bench airline (${runs.length} runs): failing run from siblings`,
    figures: [
      compare(
        "AUC",
        auc((e) => e.score),
        ">=",
        0.78,
        (x) => x.toFixed(3),
      ),
    ],
    baselines: [
      ["disagreement alone", plain(auc((e) => e.disagreement))],
      ["total characters", plain(auc(characters))],
      ["number of steps", plain(auc((e) => e.run.steps.length))],
    ],
    raw: scored.map(({ run, score, disagreement, attempts }) => ({
      task: run.task,
      trial: run.trial,
      reward: run.reward,
      score,
      disagreement,
      attempts,
    })),
  };
}

function scoreTask(runs: readonly TauRun[]) {
  const siblings = new Siblings();
  for (const run of runs) {
    siblings.observe(String(run.trial), {});
    for (const step of run.steps) {
      if (step.tool !== undefined)
        siblings.observe(String(run.trial), { tool: step.tool, arguments: parse(step.args) });
    }
  }
  const reports = new Map(siblings.reports().map((report) => [report.agentId, report]));
  return runs.map((run) => ({ run, ...reports.get(String(run.trial))! }));
}

/** Arguments that are no JSON are compared as text. */
function parse(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? "null");
  } catch {
    return text;
  }
}
