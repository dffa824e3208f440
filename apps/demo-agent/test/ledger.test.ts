import { describe, expect, it } from "vitest";
import { Ledger } from "../src/parent/ledger.js";
import type { Line } from "../src/shared/protocol.js";

const ack = (step: number, sequence = step): Line => ({
  type: "ack",
  checkpointId: `a:${sequence}`,
  sequence,
  stateHash: `hash-${step}`,
  name: "routine",
  step,
});
const hello = (recoveredSequence: number | null, step: number, stateHash = `hash-${step}`): Line => ({
  type: "hello",
  pid: 1,
  model: "m",
  recovered:
    recoveredSequence === null
      ? null
      : { checkpointId: `a:${recoveredSequence}`, sequence: recoveredSequence, stateHash },
  step,
  remarks: [],
  recoverMs: 1,
});
const step = (number: number, finishedTaskId?: string): Line => ({
  type: "step",
  step: number,
  task: "t",
  tool: "read_file",
  action: "read_file {}",
  outcome: "ok",
  durationMs: 1,
  saveMs: 1,
  ...(finishedTaskId === undefined ? {} : { finishedTaskId }),
  tasksDone: 0,
  tasksWaiting: 0,
});

function ledgerOf(...lines: (Line | "kill")[]): Ledger {
  const ledger = new Ledger();
  for (const line of lines) {
    if (line === "kill") ledger.enterKill();
    else ledger.enter(line);
  }
  return ledger;
}

describe("the parent's ledger", () => {
  it("finds nothing lost when the last acknowledged checkpoint comes back", () => {
    const ledger = ledgerOf(hello(null, 0), ack(1), ack(2), "kill", hello(2, 2), ack(3));
    expect(ledger.lost).toEqual([]);
    expect(ledger.recoveries[0]).toMatchObject({ lastAcked: 2, recoveredStep: 2 });
  });

  it("accepts a newer checkpoint than the last acknowledged one: durable, but killed before saying so", () => {
    expect(ledgerOf(hello(null, 0), ack(1), "kill", hello(2, 2)).lost).toEqual([]);
  });

  it("reports an older one, none, and the right one with another state", () => {
    expect(ledgerOf(hello(null, 0), ack(1), ack(2), "kill", hello(1, 1)).lost).toHaveLength(1);
    expect(ledgerOf(hello(null, 0), ack(1), "kill", hello(null, 0)).lost).toHaveLength(1);
    expect(ledgerOf(hello(null, 0), ack(1), "kill", hello(1, 1, "other")).lost).toHaveLength(1);
  });

  it("expects the older checkpoint after a rollback, whether or not the process lived to say that it was done", () => {
    const back: Line = { type: "restored", reason: "drift", checkpointId: "a:1", fromStep: 3, toStep: 1 };
    const begun: Line = { type: "restoring", reason: "drift" };
    const before = [hello(null, 0), ack(1), ack(2), ack(3), begun] as const;
    expect(ledgerOf(...before, back, "kill", hello(1, 1)).lost).toEqual([]);
    expect(ledgerOf(...before, "kill", hello(1, 1)).lost).toEqual([]);
    expect(ledgerOf(...before, back, ack(2, 4), "kill", hello(1, 1)).lost).toHaveLength(1);
  });

  it("notices a finished task that is done again, but not one that a rollback opened again", () => {
    expect(ledgerOf(step(1, "t1"), "kill", hello(1, 1), step(2, "t1")).repeated).toEqual(["t1"]);
    const back: Line = { type: "restored", reason: "drift", checkpointId: "a:1", fromStep: 4, toStep: 2 };
    const ledger = ledgerOf(step(1, "t1"), step(3, "t2"), back, step(3, "t2"));
    expect(ledger.repeated).toEqual([]);
  });

  it("says where in a step the process was", () => {
    const begun: Line = { type: "begun", step: 3, task: "t" };
    expect(ledgerOf(ack(2), begun, "kill").recoveries[0]).toMatchObject({
      step: 3,
      phase: "working",
      lastAcked: 2,
    });
    const saving: Line = { type: "saving", step: 3 };
    expect(ledgerOf(ack(2), begun, saving, "kill").recoveries[0]).toMatchObject({ step: 3, phase: "saving" });
    expect(ledgerOf(ack(2), step(2), "kill").recoveries[0]).toMatchObject({ phase: "between steps" });
    expect(ledgerOf("kill").recoveries[0]).toMatchObject({ phase: "starting" });
  });
});
