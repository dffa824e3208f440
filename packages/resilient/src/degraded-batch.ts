import type { CheckpointHeader, StoreEntry, StoreFinding } from "@ckpt/core";
import { fail } from "./errors.js";
import { describeError } from "./place-failure.js";

/**
 * A put whose sequence is not above the agent's last: fine when it is the very checkpoint that is there already (written by a
 * try that reported a failure), refused with `CKPT_CONFLICT` otherwise, as the store below would. A batch that can never be
 * written must not wait in memory as if it could.
 */
export function checkRepeat(
  header: CheckpointHeader,
  existing: CheckpointHeader | undefined,
  lastSequence: number,
): void {
  if (existing?.stateHash === header.stateHash && existing.sequence === header.sequence) return;
  const { id, agentId, sequence } = header;
  throw fail("CKPT_CONFLICT", {
    message: `Checkpoint ${id} has sequence ${sequence}, and agent ${agentId} is at ${lastSequence} already`,
    hint: "Someone else saved this agent. Open it again, and save from there.",
    details: { id, agentId, sequence, lastSequence },
  });
}

/** The headers of a batch's puts as its receipt states them. */
export function degradedHeaders(
  entries: readonly StoreEntry[],
  epochOf: (agentId: string) => number,
): CheckpointHeader[] {
  const headers: CheckpointHeader[] = [];
  for (const entry of entries) {
    if (entry.op !== "put") continue;
    const { header, snapshot } = entry;
    headers.push({
      ...header,
      stateHash: snapshot.hash,
      stateBytes: snapshot.weight,
      epoch: epochOf(header.agentId),
    });
  }
  return headers;
}

/** The finding of a read that the place could not answer. */
export function staleRead(agentId: string, error: unknown): StoreFinding {
  return {
    kind: "stale",
    place: agentId,
    message: `The store could not be read (${describeError(error).message}); only what is in memory is known`,
    affectedIds: [],
    remedy: "Make the place readable again and read once more.",
  };
}
