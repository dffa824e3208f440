import { monitor } from "@ckpt/drift";
import type { EvalOptions } from "./arguments.js";
import { type AgentRun, readCapableRuns, toSignal } from "./intercode-data.js";
import { generatePollingRuns, worstLevel } from "./polling.js";
import { compare, percent, plain, type Section } from "./report.js";
import { geminiCli, openHands, type StopRule, sameObservation3, turnCap } from "./stall-baselines.js";
import { areaUnderCurve } from "./statistics.js";

/** A run counts as a possible false alarm from so many steps on. */
const LONG_ENOUGH = 4;
const STEP_OF_AUC = 5;
const POLLING_RUNS = 200;

/** A run with the step of its alarm (-1: none) and the score after each step. */
interface Judged {
  readonly run: AgentRun;
  readonly alarm: number;
  readonly scores: readonly number[];
}

/** Runs that go nowhere, of capable models: steps saved, and solved runs stopped. */
export async function evaluateStall(options: EvalOptions): Promise<Section> {
  const runs = await readCapableRuns(options.data);
  const judged = runs.map(judge);
  const s = summarize(judged);
  const polling = generatePollingRuns(POLLING_RUNS, options.seed).map((run) => ({
    style: run.style,
    polls: run.polls,
    undeclared: worstLevel(run, false),
    declared: worstLevel(run, true),
  }));
  const undeclared = polling.filter((p) => p.undeclared === "drift" || p.undeclared === "corrupt").length;
  const declared = polling.filter((p) => p.declared !== "ok").length;
  const rule = (name: string, stop: StopRule): string[] => {
    const x = summarize(runs.map((run) => ({ run, alarm: stop(run.steps), scores: [] })));
    return [name, percent(x.saved), percent(x.falseAlarms), percent(x.recall), percent(x.precision)];
  };
  return {
    id: 4,
    title: `Stall (${runs.length} runs of gpt-3.5 and gpt-4, ${s.doomed} of them not solved)`,
    figures: [
      compare("steps of doomed runs saved", s.saved, ">=", 0.25, percent),
      compare(
        `false alarms on solved runs of ${LONG_ENOUGH} steps or more`,
        s.falseAlarms,
        "<=",
        0.025,
        percent,
      ),
      compare("recall at precision .96, by score", s.recallAt96, ">=", 0.7, percent),
      {
        what: "recall and precision of level drift",
        reached: `${percent(s.recall)} at ${percent(s.precision)}`,
        bar: "",
      },
      compare("AUC at step 5", s.auc, ">=", 0.78),
      compare(`of ${POLLING_RUNS} polling runs, undeclared: above warn`, undeclared, "<=", 0),
      compare(`of ${POLLING_RUNS} polling runs, declared: above ok`, declared, "<=", 0),
    ],
    baselines: [
      ["", "saved", "false alarms", "recall", "precision"],
      rule("OpenHands", openHands),
      rule("gemini-cli", geminiCli),
      rule("same observation 3x", sameObservation3),
      rule("turn cap 8", turnCap(8)),
      ["prior of env and model", `AUC at step 5: ${plain(priorAuc(judged))}`],
    ],
    raw: {
      runs: judged.map((j) => ({
        run: j.run.run,
        solved: j.run.solved,
        alarm: j.alarm,
        scores: j.scores.map((x) => Number(x.toFixed(5))),
      })),
      polling,
    },
  };
}

function judge(run: AgentRun): Judged {
  const watcher = monitor();
  let alarm = -1;
  const scores = run.steps.map((step, i) => {
    const verdict = watcher.observe(toSignal(step));
    if (alarm < 0 && verdict.level === "drift") alarm = i;
    return verdict.score;
  });
  return { run, alarm, scores };
}

function summarize(judged: readonly Judged[]) {
  const doomed = judged.filter((j) => !j.run.solved);
  const solved = judged.filter((j) => j.run.solved);
  const long = solved.filter((j) => j.run.steps.length >= LONG_ENOUGH);
  const steps = doomed.reduce((n, j) => n + j.run.steps.length, 0);
  const saved = doomed.reduce((n, j) => n + (j.alarm < 0 ? 0 : j.run.steps.length - 1 - j.alarm), 0);
  const found = doomed.filter((j) => j.alarm >= 0).length;
  const stopped = solved.filter((j) => j.alarm >= 0).length;
  const atStep = (list: readonly Judged[]) => list.flatMap((j) => j.scores[STEP_OF_AUC - 1] ?? []);
  return {
    doomed: doomed.length,
    saved: saved / steps,
    falseAlarms: long.filter((j) => j.alarm >= 0).length / long.length,
    recall: found / doomed.length,
    precision: found / Math.max(1, found + stopped),
    recallAt96: recallAtPrecision(judged, 0.96) / doomed.length,
    auc: areaUnderCurve(atStep(doomed), atStep(solved)),
  };
}

/** The most doomed runs that a threshold on the highest score finds at this precision. */
function recallAtPrecision(judged: readonly Judged[], precision: number): number {
  const ranked = judged
    .map((j) => ({ top: Math.max(0, ...j.scores), doomed: !j.run.solved }))
    .sort((a, b) => b.top - a.top);
  let found = 0;
  let best = 0;
  ranked.forEach((entry, i) => {
    if (entry.doomed) found++;
    const tied = ranked[i + 1]?.top === entry.top;
    if (!tied && found / (i + 1) >= precision) best = found;
  });
  return best;
}

/** How well the environment and the model alone tell doomed runs, each run left out of its own prior. */
function priorAuc(judged: readonly Judged[]): number {
  const alive = judged.filter((j) => j.run.steps.length >= STEP_OF_AUC);
  const counts = new Map<string, { n: number; doomed: number }>();
  for (const { run } of alive) {
    const entry = counts.get(`${run.env} ${run.model}`) ?? { n: 0, doomed: 0 };
    counts.set(`${run.env} ${run.model}`, { n: entry.n + 1, doomed: entry.doomed + (run.solved ? 0 : 1) });
  }
  const prior = ({ run }: Judged): number => {
    const entry = counts.get(`${run.env} ${run.model}`)!;
    return (entry.doomed - (run.solved ? 0 : 1)) / Math.max(1, entry.n - 1);
  };
  return areaUnderCurve(
    alive.filter((j) => !j.run.solved).map(prior),
    alive.filter((j) => j.run.solved).map(prior),
  );
}
