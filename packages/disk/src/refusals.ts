/** The errors with which a call is refused before anything changes. */
import { CkptError } from "@ckpt/errors";

export function invalid(argument: string, message: string): CkptError {
  return new CkptError("CKPT_INVALID_ARGUMENT", {
    message,
    hint: "See CheckpointStore in @ckpt/core; nothing was written.",
    details: { argument },
  });
}

export function overLimit(what: string, value: number, most: number): CkptError {
  return new CkptError("CKPT_LIMIT", {
    message: `${value} ${what} are above the limit of ${most}.`,
    hint: "Make it smaller, or raise the limit in the store's options; nothing was written.",
    details: { value, limit: most },
  });
}

export function conflict(
  message: string,
  about: { agentId: string; id: string; sequence: number },
): CkptError {
  return new CkptError("CKPT_CONFLICT", {
    message,
    hint: "Someone else wrote this agent, or an import brought the id; read the agent again.",
    details: { agentId: about.agentId, checkpointId: about.id, sequence: about.sequence },
  });
}

export function notHeld(agentId: string): CkptError {
  return new CkptError("CKPT_LOCKED", {
    message: `This store does not hold ${JSON.stringify(agentId)}; a commit needs the agent's lease.`,
    hint: "Call acquire(agentId) first, and keep the lease while you write.",
    details: { agentId },
  });
}

export function closed(call: string): CkptError {
  return new CkptError("CKPT_CLOSED", {
    message: `The disk store is closed; ${call} was called after close().`,
    hint: "Open a new store on the directory.",
    details: { call },
  });
}

/** `call` was under way when the store was closed, and ended there. */
export function closedMeanwhile(call: string, cause: unknown): CkptError {
  return new CkptError("CKPT_CLOSED", {
    message: `The disk store was closed while ${call} was under way.`,
    hint: "What it had done stays done; open a new store on the directory and call it again.",
    cause,
    details: { call },
  });
}

/** A segment that a newer version of this package wrote. */
export function newerSegment(path: string): CkptError {
  return new CkptError("CKPT_NEWER_VERSION", {
    message: `${path} was written by a newer version of this package.`,
    hint: "Update @ckpt/disk.",
    details: { path },
  });
}
