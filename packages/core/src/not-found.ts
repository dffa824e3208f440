import { CkptError } from "@ckpt/errors";

/** `CKPT_NOT_FOUND` for a checkpoint. */
export function checkpointNotFound(agentId: string, checkpointId: string): CkptError {
  return new CkptError("CKPT_NOT_FOUND", {
    message: `${JSON.stringify(agentId)} has no checkpoint ${JSON.stringify(checkpointId)}.`,
    hint: "It may have been removed, by a rule or by hand; list what is there.",
    details: { agentId, checkpointId },
  });
}
