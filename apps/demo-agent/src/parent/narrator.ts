import type { Line } from "../shared/protocol.js";
import type { Audit } from "./audit.js";
import type { Recovery } from "./ledger.js";
import type { StatusLine } from "./status-line.js";

const MAX_RECENT_ACTIONS = 20;

/** Tells the story of a run: one printed line for each thing worth knowing. */
export class Narrator {
  readonly #line: StatusLine;
  #introduced = false;
  #rolledBack = false;
  #recentActions: readonly string[] = [];

  constructor(line: StatusLine) {
    this.#line = line;
  }

  see(line: Line): void {
    this.#line.see(line);
    const text = this.#describe(line);
    for (const row of text) this.#line.event(row);
  }

  killed({ pid, step, phase, lastAcked }: Recovery, { listed, lost }: Audit): void {
    this.#line.countKill();
    const where = phase === "between steps" ? `after step ${step}` : `in step ${step}, while ${phase}`;
    this.#line.event(
      `KILL     SIGKILL to process ${pid ?? "?"} ${where}; last acknowledged step ${lastAcked}`,
    );
    for (const item of lost) this.#line.event(`LOST     ${item}`);
    if (lost.length > 0) return;
    this.#line.event(
      `         read by another process: all ${listed} acknowledged checkpoints are in the store`,
    );
  }

  #describe(line: Line): string[] {
    switch (line.type) {
      case "hello":
        return this.#greet(line);
      case "step":
        return [
          ...this.#afterRollback(line.action),
          ...(line.error === undefined ? [] : [`TOOL     ${line.tool} failed: ${line.error}`]),
        ];
      case "drift":
        return [
          `DRIFT    noticed at step ${line.step}; the last checkpoint from before it began is ${line.lastGoodId || "unknown"}`,
          ...line.evidence.map((row) => `         evidence: ${row}`),
        ];
      case "restored":
        // What a guard undid is told by the guard's own line.
        if (line.reason !== "drift") return [];
        this.#rolledBack = true;
        return [
          `ROLLBACK ${line.reason}: from step ${line.fromStep} back to step ${line.toStep} (${line.checkpointId})`,
        ];
      case "guard":
        return [`GUARD    ${line.operation} ${line.outcome}${line.detail === "" ? "" : `: ${line.detail}`}`];
      case "remark":
        return [`NOTE     ${line.text}`];
      default:
        return [];
    }
  }

  /** The first step after a rollback: does the agent do what it did before, or something else? */
  #afterRollback(action: string): string[] {
    const isKnown = this.#recentActions.includes(action);
    this.#recentActions = [...this.#recentActions, action].slice(-MAX_RECENT_ACTIONS);
    if (!this.#rolledBack) return [];
    this.#rolledBack = false;
    return [`         it goes on ${isKnown ? "as before" : "differently"}: ${action}`];
  }

  #greet(line: Extract<Line, { type: "hello" }>): string[] {
    const { pid, recovered, step, remarks, recoverMs, model } = line;
    const first = this.#introduced ? [] : [`MODEL    ${model}`];
    this.#introduced = true;
    const began =
      recovered === null
        ? `START    process ${pid}, a new history`
        : `RECOVER  process ${pid} goes on after step ${step} (${recovered.checkpointId}), recovered in ${recoverMs.toFixed(0)} ms`;
    return [...first, began, ...remarks.map((remark) => `         ${remark}`)];
  }
}
