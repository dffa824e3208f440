import type { Line } from "../shared/protocol.js";

type Of<T extends Line["type"]> = Extract<Line, { type: T }>;
export type Ack = Of<"ack">;

/** The checkpoint that a recovery must bring back, or a newer one. */
interface Head {
  readonly checkpointId: string;
  readonly sequence: number;
  readonly stateHash: string;
  readonly step: number;
}

/** What a killed process left behind, and how the next one went on. */
export interface Recovery {
  /** The process that was killed. */
  readonly pid: number | undefined;
  /** The step that was under way. */
  readonly step: number;
  readonly phase: "working" | "saving" | "between steps" | "starting";
  /** The last step that it acknowledged. */
  readonly lastAcked: number;
  /** Set when the next process has started. */
  recoveredStep: number | undefined;
  recoverMs: number | undefined;
}

/**
 * The parent's own book of what the agent's processes acknowledged. It never asks them whether something was lost: it compares
 * what they said before they were killed with what the next one recovered, and the auditor compares it with the store.
 */
export class Ledger {
  /** Every acknowledged checkpoint, by id. */
  readonly acks = new Map<string, Ack>();
  readonly recoveries: Recovery[] = [];
  readonly drifts: Of<"drift">[] = [];
  readonly rollbacks: Of<"restored">[] = [];
  readonly guards: Of<"guard">[] = [];
  readonly steps: Of<"step">[] = [];
  /** Descriptions of acknowledged work that a recovery did not have. Must stay empty. */
  readonly lost: string[] = [];
  /** Tasks that were acknowledged as finished and then done again. Must stay empty. */
  readonly repeated: string[] = [];
  #head: Head | undefined;
  #restoring = false;
  #last: Line | undefined;
  #pid: number | undefined;
  readonly #finished = new Map<string, number>();
  #model = "";

  /** The model as the agent described it. */
  get model(): string {
    return this.#model;
  }

  enter(line: Line): void {
    this.#last = line;
    if (line.type === "hello") this.#meet(line);
    else if (line.type === "ack") {
      this.acks.set(line.checkpointId, line);
      // A safety checkpoint is put aside before a restore; it is nothing to go on from.
      if (line.name !== "safety") this.#head = line;
    } else if (line.type === "begun") this.#restoring = false;
    else if (line.type === "step") this.#enterStep(line);
    else if (line.type === "restoring") this.#restoring = true;
    else if (line.type === "restored") this.#enterRollback(line);
    else if (line.type === "drift") this.drifts.push(line);
    else if (line.type === "guard") this.guards.push(line);
  }

  /** The process of the last lines was killed. */
  enterKill(): Recovery {
    const last = this.#last;
    const phases = { begun: "working", saving: "saving", hello: "starting" } as const;
    const phase =
      last !== undefined && last.type in phases ? phases[last.type as keyof typeof phases] : undefined;
    const recovery: Recovery = {
      pid: this.#pid,
      step: last?.type === "begun" || last?.type === "saving" ? last.step : (this.#head?.step ?? 0),
      phase: phase ?? (last === undefined ? "starting" : "between steps"),
      lastAcked: this.#head?.step ?? 0,
      recoveredStep: undefined,
      recoverMs: undefined,
    };
    this.recoveries.push(recovery);
    return recovery;
  }

  /** The next process has recovered: it must have the last acknowledged checkpoint, or a newer one that it was told no more about. */
  #meet(line: Of<"hello">): void {
    const head = this.#head;
    const recovery = this.recoveries.at(-1);
    if (recovery !== undefined && recovery.recoveredStep === undefined) {
      recovery.recoveredStep = line.step;
      recovery.recoverMs = line.recoverMs;
    }
    this.#pid = line.pid;
    this.#model = line.model;
    if (head !== undefined) this.#compare(line, head);
    this.#restoring = false;
    if (line.recovered !== null) this.#head = { ...line.recovered, step: line.step };
  }

  #compare(line: Of<"hello">, head: Head): void {
    const { recovered } = line;
    if (recovered === null)
      this.lost.push(`step ${head.step} was acknowledged; the next process found nothing`);
    else if (recovered.checkpointId === head.checkpointId && recovered.stateHash !== head.stateHash) {
      this.lost.push(`${head.checkpointId} came back with another state`);
    } else if (recovered.sequence < head.sequence && !this.#restoring) {
      this.lost.push(
        `step ${head.step} (${head.checkpointId}) was acknowledged; ${recovered.checkpointId} came back`,
      );
    }
  }

  #enterStep(line: Of<"step">): void {
    this.steps.push(line);
    if (line.finishedTaskId === undefined) return;
    if (this.#finished.has(line.finishedTaskId)) this.repeated.push(line.finishedTaskId);
    this.#finished.set(line.finishedTaskId, line.step);
  }

  #enterRollback(line: Of<"restored">): void {
    this.#restoring = false;
    if (line.reason === "drift") this.rollbacks.push(line);
    const target = this.acks.get(line.checkpointId);
    if (target !== undefined) this.#head = target;
    // What was finished on the line that was left is open again, on purpose.
    for (const [taskId, step] of this.#finished) if (step > line.toStep) this.#finished.delete(taskId);
  }
}
