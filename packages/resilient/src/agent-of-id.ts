/**
 * Whether a checkpoint id may be one of this agent's: it is the agent id, a colon and a sequence, or it is no id of that form at all (one
 * that was imported).
 */
export function mayBeOf(agentId: string, checkpointId: string): boolean {
  const colon = checkpointId.lastIndexOf(":");
  const isOfForm = colon > 0 && /^[0-9]+$/.test(checkpointId.slice(colon + 1));
  return !isOfForm || checkpointId.slice(0, colon) === agentId;
}
