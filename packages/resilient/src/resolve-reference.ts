import { type CheckpointHeader, checkpointNotFound } from "@ckpt/core";
import { fail, invalidArgument } from "./errors.js";
import type { ManagerKit } from "./manager-kit.js";

/** What names a checkpoint: its id, or a handle, header or receipt of it. */
export type CheckpointReference = string | { readonly id: string; readonly agentId: string };

/** The header that `reference` names. Rejects with `CKPT_WRONG_AGENT`, `CKPT_NOT_FOUND` or `CKPT_INVALID_ARGUMENT`. */
export async function resolveReference<State>(
  kit: ManagerKit<State>,
  reference: CheckpointReference,
): Promise<CheckpointHeader> {
  const id = typeof reference === "string" ? reference : reference?.id;
  if (typeof id !== "string" || id === "") {
    throw invalidArgument(
      "This names no checkpoint",
      "Give a checkpoint's id, or what createCheckpoint or a list returned.",
    );
  }
  const owner = typeof reference === "string" ? undefined : reference.agentId;
  if (owner !== undefined && owner !== kit.agentId) throw wrongAgent(kit.agentId, id, owner);
  const header = await kit.lookUp(id);
  if (header !== undefined) return header;
  const other = id.slice(0, Math.max(0, id.lastIndexOf(":")));
  if (other !== "" && other !== kit.agentId && (await kit.store.get(other, id)) !== undefined) {
    throw wrongAgent(kit.agentId, id, other);
  }
  throw checkpointNotFound(kit.agentId, id);
}

function wrongAgent(agentId: string, id: string, ownerAgentId: string): Error {
  return fail("CKPT_WRONG_AGENT", {
    message: `Checkpoint ${id} belongs to agent ${ownerAgentId}, not to ${agentId}`,
    hint: `Open a manager for ${ownerAgentId}, or give one of ${agentId}'s own checkpoints. Use fork to carry a state to another agent.`,
    details: { id, agentId, ownerAgentId },
  });
}
