import { tool } from "ai";
import { z } from "zod";
import type { AgentState } from "../agent/state.js";

/** Called by name: the agent's step sees the call and closes the task after the model's turn. */
export const FINISH_TASK = "finish_task";

export const finishTask = (state: () => AgentState) =>
  tool({
    description:
      "Ends the current task with a summary of what was found. Call it once, when the task is done.",
    inputSchema: z.object({ summary: z.string().min(1).max(4_000), notes: z.array(z.string()).default([]) }),
    execute: async ({ summary, notes }) => {
      const { current, step, taskBeganAt, findings } = state();
      if (current === null) return { finished: false, reason: "there is no task" };
      findings.set(current.id, {
        taskId: current.id,
        request: current.text.split("\n", 1)[0]!.slice(0, 200),
        summary,
        notes,
        steps: step - taskBeganAt + 2,
        finishedAt: new Date(),
      });
      return { finished: true, taskId: current.id };
    },
  });
