import { cycle, errorStreak, stall, type Verdict } from "@ckpt/drift";
import { ResilientCheckpointManager } from "@ckpt/resilient";
import { AGENT_ID } from "../shared/layout.js";
import type { Line } from "../shared/protocol.js";
import type { Agent } from "./agent.js";
import { AgentState } from "./state.js";
import type { Workshop } from "./workshop.js";

export interface CheckpointSettings {
  /** The store's directory. */
  readonly directory: string;
  /** Asked anew for each call: the agent's tools need the manager, so it is made first. */
  readonly agent: () => Agent;
  readonly workshop: Workshop;
  readonly say: (line: Line) => void;
}

/**
 * The agent's checkpoint manager, which tells the parent what it does. Every checkpoint of the run is kept (`retention: false`):
 * the parent wants to look each of them up. Everything else is as it comes.
 */
export function openCheckpoints({ directory, agent, workshop, say }: CheckpointSettings) {
  let reason = "";
  let restoredId = "";
  let verdict: Verdict | undefined;
  let hasUnsavedLesson = false;
  const checkpoints: ResilientCheckpointManager<AgentState> = new ResilientCheckpointManager<AgentState>(
    AGENT_ID,
    {
      directory,
      schema: AgentState,
      retention: false,
      onUnfinishedGuard: "restore",
      // Tasks differ: there is no usual duration, and no usual size, to drift from. Going in circles is the same everywhere.
      drift: { detectors: [stall(), cycle(), errorStreak()] },
      collect: () => agent().state,
      apply: async (state) => {
        const fromStep = agent().state.step;
        agent().state = state;
        await workshop.follow(state.drafts);
        if (reason === "recovered") return;
        say({ type: "restored", reason, checkpointId: restoredId, fromStep, toStep: state.step });
        if (reason !== "drift") return;
        agent().advise(lesson(agent().recentActions, verdict));
        hasUnsavedLesson = true;
      },
    },
  );
  checkpoints.on("restored", ({ checkpoint, reason: why }) => {
    reason = why;
    restoredId = checkpoint.id;
  });
  checkpoints.on("drift", (event) => {
    verdict = event.verdict;
    const evidence = verdict.evidence.map(({ detector, message }) => `${detector}: ${message}`);
    const lastGoodId = verdict.lastGood?.checkpointId ?? "";
    say({ type: "drift", level: verdict.level, step: agent().state.step, lastGoodId, evidence });
    say({ type: "restoring", reason: "drift" });
  });
  checkpoints.on("saved", ({ id, sequence, stateHash, name, durability }) => {
    // Only what is durable is acknowledged.
    if (durability !== "durable") say({ type: "remark", text: `${id} was saved, but is ${durability}` });
    else say({ type: "ack", checkpointId: id, sequence, stateHash, name, step: agent().state.step });
  });
  checkpoints.on("degraded", ({ error }) =>
    say({ type: "remark", text: `no place takes writes: ${String(error)}` }),
  );
  checkpoints.on("damaged", ({ checkpointId }) =>
    say({ type: "remark", text: `${checkpointId} cannot be read` }),
  );
  checkpoints.on("error", ({ during, error }) =>
    say({ type: "remark", text: `${during}: ${String(error)}` }),
  );
  return {
    checkpoints,
    /** Saves what a rollback taught before anything else is done: a crash must not make the agent walk into the same loop again. */
    keepLesson: async () => {
      if (!hasUnsavedLesson) return;
      await checkpoints.createCheckpoint("lesson");
      hasUnsavedLesson = false;
    },
  };
}

/** What a rollback teaches: what was done last, and the evidence against it. */
function lesson(actions: readonly string[], verdict: Verdict | undefined): string {
  const seen = verdict?.evidence.map(({ message }) => message).join(" ") ?? "";
  return `${actions.join("; ")} led nowhere and was undone. ${seen} Take another way.`;
}
