import {
  type CheckpointHeader,
  captureMetadata,
  formatTimestamp,
  isCkptError,
  type Json,
  SavedCheckpoint,
  type SignalOption,
  validateAgentId,
  validateName,
} from "@ckpt/core";
import { fail } from "./errors.js";
import type { ManagerKit } from "./manager-kit.js";
import { newestIntact } from "./newest-intact.js";
import { type CheckpointReference, resolveReference } from "./resolve-reference.js";
import { restoreAsChild } from "./restore.js";

export interface ForkOptions extends SignalOption {
  /** The agent that the new line belongs to; it must have no history yet. Default: this one. */
  readonly agentId?: string | undefined;
  /** Name of the new checkpoint. Default `fork`. */
  readonly name?: string | undefined;
  readonly metadata?: { readonly [key: string]: Json } | undefined;
}

/** Starts a new line from an old point: see `ResilientCheckpointManager.fork`. The exact state, or an error. */
export async function fork<State>(
  kit: ManagerKit<State>,
  reference: CheckpointReference,
  options: ForkOptions,
): Promise<SavedCheckpoint<State>> {
  const { agentId, signal } = options;
  const name = validateName(options.name ?? "fork");
  if (agentId !== undefined && agentId !== kit.agentId) {
    return forkTo(kit, validateAgentId(agentId), name, reference, options);
  }
  return restoreAsChild(kit, reference, {
    signal,
    allowOlder: false,
    reason: "fork",
    // In the commit of the head move: with one of the two alone, the head would not be what `apply` gets.
    child: ({ header, snapshot }) => {
      const metadata = captureMetadata({ ...options.metadata, ...forkedFrom(header) });
      const { schemaVersion } = header;
      return { name, timestamp: formatTimestamp(kit.now()), metadata, schemaVersion, snapshot };
    },
  });
}

function forkedFrom({ agentId, id, stateHash }: CheckpointHeader): { readonly forkedFrom: Json } {
  return { forkedFrom: { agentId, id, stateHash } };
}

/** The first checkpoint of another agent. That agent is held for this one commit. */
async function forkTo<State>(
  kit: ManagerKit<State>,
  agentId: string,
  name: string,
  reference: CheckpointReference,
  options: ForkOptions,
): Promise<SavedCheckpoint<State>> {
  const { signal } = options;
  const origin = await resolveReference(kit, reference);
  const { snapshot } = await newestIntact(kit, origin, { signal, allowOlder: false });
  const lease = await kit.store.acquire(agentId);
  try {
    const existing = await kit.store.agent(agentId);
    if (existing !== undefined && existing.lastSequence > 0) {
      throw fail("CKPT_CONFLICT", {
        message: `Agent ${agentId} has a history of its own`,
        hint: "Fork to an agent id that is not taken yet.",
        details: { agentId, lastSequence: existing.lastSequence },
      });
    }
    const header = {
      id: `${agentId}:1`,
      agentId,
      sequence: 1,
      parentId: null,
      name,
      timestamp: formatTimestamp(kit.now()),
      schemaVersion: origin.schemaVersion,
      metadata: { ...options.metadata, ...forkedFrom(origin) },
    };
    const receipt = await kit.commit([{ op: "put", header, snapshot }], { signal });
    const { headers } = receipt;
    let { durability } = receipt;
    if (durability === "degraded") {
      await flushOrGiveUp(kit, agentId);
      durability = kit.store.supports.durable ? "durable" : "volatile";
    }
    // The handle reads the state that it was made of: this manager reads its own agent only.
    return new SavedCheckpoint<State>(headers[0]!, durability, {
      readSnapshot: async () => snapshot,
      readData: () => kit.decode(origin, snapshot),
    });
  } finally {
    await lease.release();
  }
}

/** Without its lease, which is given back after this commit, what is in memory only could never be written. */
async function flushOrGiveUp(kit: Pick<ManagerKit<unknown>, "store">, agentId: string): Promise<void> {
  try {
    await kit.store.settle(agentId);
  } catch (cause) {
    await kit.store.settle(agentId, { discard: true });
    // The write that was under way may have come through all the same.
    if (((await kit.store.agent(agentId).catch(() => undefined))?.lastSequence ?? 0) > 0) return;
    if (!isCkptError(cause, "CKPT_NOT_FLUSHED")) throw cause;
    throw fail("CKPT_NOT_FLUSHED", {
      message: `The first checkpoint of agent ${agentId} could not be written`,
      hint: "Make the place writable, and fork again; where a write was under way until the end, look at the agent first.",
      cause: cause.cause,
      details: { agentId },
    });
  }
}
