import { writeAtomic } from "@ckpt/io";
import { type RecoveryReport, superviseLoop } from "@ckpt/resilient";
import { chooseModel } from "../model/choose.js";
import { layout } from "../shared/layout.js";
import type { Line, Orders } from "../shared/protocol.js";
import { Sandbox } from "../tools/sandbox.js";
import { toolbox } from "../tools/toolbox.js";
import { Agent, type StepReport } from "./agent.js";
import { openCheckpoints } from "./checkpoints.js";
import { filesGuard } from "./files-guard.js";
import { Mailbox } from "./mailbox.js";
import { report } from "./report.js";
import type { AgentState } from "./state.js";
import { Workshop } from "./workshop.js";

const MAX_ACTION = 200;
const DIED_IN_GUARD =
  "the process died in the middle of it; the state from before is back, and the files with it";

/** One life of the agent: recovers what the one before left, works under supervision until it is done or told to stop. */
export async function runAgent(
  orders: Orders,
  env: Readonly<Record<string, string | undefined>>,
  say: (line: Line) => void,
  signal: AbortSignal,
): Promise<void> {
  const paths = layout(orders.directory);
  const { model, described } = chooseModel(env, { seed: orders.seed, latencyMs: orders.latencyMs });
  const folder = await Sandbox.open(orders.folder);
  const mailbox = new Mailbox(orders.mailbox);
  await mailbox.open();
  const workshop = new Workshop(paths.workshop);
  const { checkpoints, keepLesson } = openCheckpoints({
    directory: paths.checkpoints,
    agent: () => agent,
    workshop,
    say,
  });
  const guard = filesGuard(checkpoints, workshop, say);
  const tools = toolbox({ folder, notesDirectory: paths.notes, workshop, state: () => agent.state, guard });
  const agent: Agent = new Agent({ model, mailbox, tools });

  const startedAt = performance.now();
  const stopListening = checkpoints.on("guard", ({ operation, phase }) => {
    if (phase === "undone") say({ type: "guard", operation, outcome: "undone", detail: DIED_IN_GUARD });
  });
  const recovery = await checkpoints.recover();
  stopListening();
  say(hello(recovery, agent, described, performance.now() - startedAt));

  let done: StepReport | undefined;
  let savingSince = 0;
  checkpoints.on("saved", ({ name }) => {
    if (done === undefined || name !== "routine") return;
    say(stepLine(done, agent.state, performance.now() - savingSince));
    done = undefined;
  });
  const summary = await superviseLoop(
    checkpoints,
    async (step) => {
      // Asked anew at each step, because a rollback after the last one gives work again.
      if (!(await agent.hasWork())) return step.stop();
      await keepLesson();
      say({
        type: "begun",
        step: agent.state.step + 1,
        task: agent.state.current?.text.split("\n", 1)[0] ?? "",
      });
      done = await agent.step(step.signal).catch((error: unknown) => {
        // Stopped in the middle: the step is as if it had not begun.
        if (step.signal.aborted) return undefined;
        throw error;
      });
      if (done === undefined) return;
      const { tool, action, observation, outcome, durationMs, tokens } = done;
      step.observe({ tool, action, observation, outcome, durationMs, tokens });
      // The next task, if there is one, belongs to the state that is saved now.
      await agent.hasWork();
      savingSince = performance.now();
      say({ type: "saving", step: done.step });
    },
    {
      signal,
      everyStep: true,
      maxSteps: orders.maxSteps ?? Number.POSITIVE_INFINITY,
      maxConsecutiveErrors: 3,
      handleSignals: false,
      onError: (error) => say({ type: "remark", text: `the step failed: ${String(error)}` }),
    },
  );
  if (summary.finalError !== undefined) throw summary.finalError;
  await writeAtomic(paths.report, Buffer.from(report(agent.state, orders.folder)));
  await checkpoints.close();
  const { step } = agent.state;
  const reason = summary.reason === "aborted" ? "stopped" : agent.isDone ? "finished" : "steps";
  say({ type: "ended", reason, step, ...progress(agent.state) });
}

function hello(recovery: RecoveryReport<AgentState>, agent: Agent, model: string, recoverMs: number): Line {
  const { checkpoint, skipped, unfinishedGuards, findings, maybeStale } = recovery;
  return {
    type: "hello",
    pid: process.pid,
    model,
    recovered:
      checkpoint === null
        ? null
        : { checkpointId: checkpoint.id, sequence: checkpoint.sequence, stateHash: checkpoint.stateHash },
    step: agent.state.step,
    remarks: [
      ...skipped.map(({ id, message }) => `skipped ${id}: ${message}`),
      ...unfinishedGuards.map(({ operation }) => `${operation} was under way when the process died`),
      ...findings.filter(({ kind }) => kind !== "torn").map(({ message }) => message),
      ...(maybeStale ? ["a place could not be read: there may be newer checkpoints"] : []),
    ],
    recoverMs,
  };
}

function stepLine(done: StepReport, state: AgentState, saveMs: number): Line {
  const { step, task, tool, action, outcome, error, durationMs, finishedTaskId } = done;
  return {
    type: "step",
    step,
    task,
    tool,
    action: action.slice(0, MAX_ACTION),
    outcome,
    ...(error === undefined ? {} : { error }),
    durationMs,
    saveMs,
    ...(finishedTaskId === undefined ? {} : { finishedTaskId }),
    ...progress(state),
  };
}

const progress = ({ findings, queue, current }: AgentState) => ({
  tasksDone: findings.size,
  tasksWaiting: queue.length + (current === null ? 0 : 1),
});
