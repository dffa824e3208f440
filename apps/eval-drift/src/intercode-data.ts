import type { Signal } from "@ckpt/drift";
import { readJsonLines } from "./data.js";

/** One step of a recorded run. */
export interface RunStep {
  readonly action: string;
  readonly ah: string;
  readonly oh: string;
  readonly osim: string;
  readonly olen: number;
  readonly err: boolean;
}

/** A recorded run; everything but `steps` is for scoring and baselines only. */
export interface AgentRun {
  readonly run: string;
  readonly env: string;
  readonly model: string;
  readonly task: number;
  readonly solved: boolean;
  readonly steps: readonly RunStep[];
}

const CAPABLE = /gpt-3\.5|gpt-4/;

/** The runs of the capable models. */
export async function readCapableRuns(root: string): Promise<AgentRun[]> {
  const runs = await readJsonLines<AgentRun>(root, "intercode-runs.jsonl.gz");
  return runs.filter((run) => CAPABLE.test(run.model));
}

/** What a monitor is told about a step: nothing about the run, its model, its task or its end. */
export function toSignal(step: RunStep): Signal {
  return {
    action: step.action,
    observation: step.olen === 0 ? "" : step.oh,
    observationSimhash: step.osim,
    outcome: step.err ? "error" : "ok",
  };
}
