import {
  type AgentState,
  type CheckpointHeader,
  type CheckpointStore,
  isCkptError,
  snapshot,
} from "@ckpt/core";
import { type ExpectedAgent, type ExpectedCheckpoint, expectationsAt } from "./expectations.js";
import { headerText } from "./header-text.js";
import type { Ledger } from "./ledger.js";

/** A promise that was broken. */
export interface Breach {
  /** `lost`: acknowledged, and not there or not readable. */
  readonly kind:
    | "lost"
    /** A state, header or fact that was never put. */
    | "wrong"
    /** Its removal was acknowledged, and it is there. */
    | "resurrected"
    /** Part of a batch is there, and part is not. */
    | "torn"
    /** Listed although it was never acknowledged, and cannot be read. */
    | "unreadable"
    /** The store does not open. */
    | "unopenable"
    /** The store opens, and takes no more. */
    | "stuck"
    /** An error that is not a `CkptError`, or a rejection that nobody handled. */
    | "untyped"
    /** Two writers held one agent at the same time. */
    | "shared"
    /** A call that never came back. */
    | "hang";
  readonly message: string;
  /** What it takes to see it again. */
  readonly where: string;
}

type Report = (kind: Breach["kind"], message: string) => void;

async function checkStates(store: CheckpointStore, agentId: string, expected: ExpectedAgent, report: Report) {
  const headers = await store.list(agentId);
  const present = new Set(headers.map((header) => header.id));
  for (const [i, header] of headers.entries()) {
    if (i > 0 && headers[i - 1]!.sequence >= header.sequence)
      report("wrong", `${header.id} is listed out of order.`);
    await checkOne(store, header, expected.checkpoints.get(header.id), report);
  }
  for (const { id, acknowledged, removal } of expected.checkpoints.values()) {
    if (acknowledged && removal === "none" && !present.has(id))
      report("lost", `${id} was acknowledged and is not listed.`);
  }
  for (const ids of expected.openBatches) {
    // One that was removed, or put again by another commit, says nothing about this batch.
    const kept = ids.filter((id) => {
      const { removal, tries } = expected.checkpoints.get(id)!;
      return removal === "none" && tries === 1;
    });
    const there = kept.filter((id) => present.has(id));
    if (there.length === 0 || there.length === kept.length) continue;
    report("torn", `Of the batch ${kept.join(", ")} only ${there.join(", ")} is there.`);
  }
}

async function checkOne(
  store: CheckpointStore,
  header: CheckpointHeader,
  expected: ExpectedCheckpoint | undefined,
  report: Report,
): Promise<void> {
  const { agentId, id, sequence, stateHash } = header;
  if (expected === undefined) return report("wrong", `${id} is listed and was never put.`);
  if (expected.removal === "acknowledged") return report("resurrected", `${id} was removed and is listed.`);
  const known = expected.versions.some(
    (version) => version.sequence === sequence && version.hash === stateHash,
  );
  if (!known) return report("wrong", `${id} has another sequence or hash than it was put with.`);
  if (!expected.headers.has(headerText(header)))
    report("wrong", `The header of ${id} says something else than it was put with.`);
  try {
    const loaded = await store.load(agentId, id);
    // Worked out from the value itself: what the store says about it proves nothing.
    if (snapshot(loaded.toValue()).hash !== stateHash) report("wrong", `${id} came back with another state.`);
  } catch (error) {
    if (!isCkptError(error)) return report("untyped", `Loading ${id} threw ${String(error)}.`);
    const kind = expected.acknowledged && expected.removal === "none" ? "lost" : "unreadable";
    report(kind, `${id} cannot be loaded: ${error.toString()}`);
  }
}

function checkFacts(state: AgentState, expected: ExpectedAgent, report: Report): void {
  if (!expected.head.values.has(state.headId)) {
    report("wrong", `The head is ${state.headId}; it can be ${[...expected.head.values].join(" or ")}.`);
  }
  const { least, most } = expected.lastSequence;
  if (state.lastSequence < least)
    report("lost", `Sequence ${least} was given out, and ${state.lastSequence} is said to be the last.`);
  if (state.lastSequence > most)
    report("wrong", `Sequence ${state.lastSequence} is said to be the last; none above ${most} was put.`);
  const open = new Set(state.openGuards.map((guard) => guard.guardId));
  for (const [guardId, { values }] of expected.guards) {
    if (!values.has(open.has(guardId)))
      report("wrong", `Guard ${guardId} is ${open.has(guardId) ? "open" : "closed"}.`);
  }
  for (const guardId of open)
    if (!expected.guards.has(guardId)) report("wrong", `Guard ${guardId} was never begun.`);
  const pinned = new Set(state.pinnedIds);
  for (const [id, { values }] of expected.pins) {
    const { acknowledged = false, removal = "none" } = expected.checkpoints.get(id) ?? {};
    if (!acknowledged || removal !== "none") continue;
    if (!values.has(pinned.has(id))) report("wrong", `${id} is ${pinned.has(id) ? "" : "not "}pinned.`);
  }
  for (const [topic, { values }] of expected.notes) {
    const body: unknown = Object.getOwnPropertyDescriptor(state.notes, topic)?.value;
    if (!values.has(JSON.stringify(body))) report("wrong", `The note ${topic} is ${JSON.stringify(body)}.`);
  }
}

/**
 * Holds a store against the ledger as it stood at `moment`: nothing acknowledged is lost, nothing is there that was never put, no removed
 * checkpoint is back, no batch is half there, headers say what was put, no sequence can be given out again, and heads, guards, pins and notes are ones that
 * can be.
 */
export async function checkLedger(
  store: CheckpointStore,
  ledger: Ledger,
  moment: number,
  where: string,
): Promise<Breach[]> {
  const breaches: Breach[] = [];
  const expectations = expectationsAt(ledger, moment);
  const known = await store.agents();
  for (const agentId of known) {
    if (!expectations.has(agentId))
      breaches.push({ kind: "wrong", message: `Agent ${agentId} never wrote.`, where });
  }
  for (const [agentId, expected] of expectations) {
    const report: Report = (kind, message) =>
      breaches.push({ kind, message: `${agentId}: ${message}`, where });
    const state = await store.agent(agentId);
    if (state === undefined) {
      if (expected.acknowledged) report("lost", "The agent has acknowledged commits and is not known.");
      continue;
    }
    if (!known.includes(agentId)) report("wrong", "The agent has a state and is not listed.");
    await checkStates(store, agentId, expected, report);
    checkFacts(state, expected, report);
  }
  return breaches;
}
