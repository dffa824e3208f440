import { join } from "node:path";
import { CkptError } from "@ckpt/errors";
import type { LeaseHolder } from "./lease-record.js";

/**
 * `CKPT_LOCKED`, naming what is held and the holder as far as they are known. `epoch` is the lease that a person can free by hand; null where
 * none can, because a system's lock is held by a process that lives.
 */
export function lockedError(
  path: string,
  holder: LeaseHolder | undefined,
  because: string,
  epoch: number | null | undefined = holder?.epoch,
): CkptError {
  const who =
    holder === undefined
      ? "another process"
      : `process ${holder.pid} on ${holder.host}${holder.writer === undefined ? "" : ` (${holder.writer})`}, since ${holder.since}`;
  const what =
    holder?.subject === undefined ? `The lease in ${path}` : JSON.stringify(holder.subject.slice(0, 200));
  const byHand =
    epoch === undefined || epoch === null
      ? ""
      : ` If it is certain that the holder is gone, create the empty file ${join(path, `${epoch}.released`)}.`;
  return new CkptError("CKPT_LOCKED", {
    message: `${what} is held by ${who}: ${because}`,
    hint: `Wait until it is released, or stop its holder.${byHand}`,
    details: { path, because, holder: holder && publicHolder(holder) },
  });
}

function publicHolder({ pid, host, since, writer, subject, epoch }: LeaseHolder): Record<string, unknown> {
  return { pid, host, since, writer, subject, epoch };
}
