/** Commits that are given up, and their agents with them. */
import { CkptError } from "@ckpt/errors";
import type { AgentWriter } from "./agent-writer.js";
import type { PendingCommit } from "./pending-commit.js";

/** Rejects all of `queue` with one error; the agents go back to what was acknowledged. */
export function giveUpAll(queue: readonly PendingCommit[], error: CkptError): void {
  for (const writer of new Set(queue.flatMap((commit) => commit.writers))) writer.reset();
  for (const commit of queue) commit.fail(error);
}

/**
 * Rejects one commit of `queue` with `error`, and what depends on it: what its agents sent behind it has numbers that would follow a
 * hole, and a batch that has one of its puts once more is whole only with it. Returns the rest, which go on as they are.
 */
export function giveUpOne(
  queue: readonly PendingCommit[],
  bad: PendingCommit,
  error: CkptError,
): PendingCommit[] {
  const writers = new Set<AgentWriter>(bad.writers);
  const before = queue.slice(0, queue.indexOf(bad));
  const dependent: PendingCommit[] = [];
  const rejected = new Set<unknown>([bad]);
  const left = [...before];
  for (const commit of queue.slice(before.length + 1)) {
    const depends =
      commit.writers.some((writer) => writers.has(writer)) ||
      commit.follows.some((other) => rejected.has(other));
    (depends ? dependent : left).push(commit);
    if (depends) rejected.add(commit);
    if (depends) for (const writer of commit.writers) writers.add(writer);
  }
  for (const writer of writers) writer.reset(left.filter((commit) => commit.writers.includes(writer)));
  bad.fail(error);
  for (const commit of dependent) commit.fail(followsFailed(error));
  return left;
}

function followsFailed(cause: CkptError): CkptError {
  return new CkptError("CKPT_IO", {
    message: `The commit was not written, because one before it, of the same agent or with the same checkpoint, failed: ${cause.message}`,
    hint: "Nothing of it was kept; see the cause, and commit again.",
    cause,
    details: { ...cause.details },
  });
}
