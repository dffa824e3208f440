import { CkptError } from "@ckpt/errors";
import type { Line, Orders } from "../shared/protocol.js";
import { AgentChild, type Ending } from "./agent-child.js";
import { Executioner } from "./executioner.js";
import type { KillMoment } from "./kill-plan.js";
import type { Ledger, Recovery } from "./ledger.js";

export interface KillLoopOptions {
  /** The agent's program. */
  readonly program: string;
  readonly orders: Orders;
  readonly plan: readonly KillMoment[];
  readonly ledger: Ledger;
  readonly onLine: (line: Line) => void;
  /** Called between two processes, while nobody writes the store. */
  readonly onKilled: (recovery: Recovery) => Promise<void>;
  /** Asks the agent for a final checkpoint, then ends the loop. */
  readonly signal: AbortSignal;
}

/** Why the run ended. */
export type EndReason = "finished" | "steps" | "stopped";

/** Runs the agent, kills it at each planned moment, starts the next one, until one ends by itself. */
export async function killLoop(options: KillLoopOptions): Promise<EndReason> {
  const { plan, ledger, orders, signal } = options;
  for (let kills = 0; ; kills++) {
    if (signal.aborted) return "stopped";
    const left = orders.maxSteps === null ? null : Math.max(0, orders.maxSteps - ledger.steps.length);
    const { ending, last } = await runOnce(options, { ...orders, maxSteps: left }, plan[kills]);
    if (last?.type === "ended") return last.reason;
    if (last?.type === "failed") {
      throw new CkptError(last.code, {
        message: last.message,
        ...(last.hint === undefined ? {} : { hint: last.hint }),
      });
    }
    if (ending.signal !== "SIGKILL") throw crashed(ending);
    await options.onKilled(ledger.enterKill());
  }
}

async function runOnce(
  { program, ledger, onLine, signal }: KillLoopOptions,
  orders: Orders,
  moment: KillMoment | undefined,
): Promise<{ ending: Ending; last: Line | undefined }> {
  let last: Line | undefined;
  const child = new AgentChild(program, orders, (line) => {
    last = line;
    ledger.enter(line);
    executioner?.see(line);
    onLine(line);
  });
  const executioner = moment === undefined ? undefined : new Executioner(moment, () => child.kill());
  const stop = () => {
    executioner?.rest();
    child.stop();
  };
  signal.addEventListener("abort", stop, { once: true });
  try {
    return { ending: await child.ended, last };
  } finally {
    executioner?.rest();
    signal.removeEventListener("abort", stop);
  }
}

const crashed = ({ code, signal, stderr }: Ending): CkptError =>
  new CkptError("CKPT_IO", {
    message: `The agent's process ended with ${signal ?? `code ${code}`} without saying why.`,
    hint:
      stderr.trim() === "" ? "Its last checkpoint is intact; --resume goes on." : stderr.trim().slice(-1_500),
    details: { code, signal },
  });
