import { CkptError } from "@ckpt/errors";
import type { LeaseHolder } from "./lease-record.js";

/** `CKPT_LOCKED`, naming the holder as far as it is known. */
export function lockedError(
  path: string,
  holder: LeaseHolder | undefined,
  because: string,
  epoch: number | undefined = holder?.epoch,
): CkptError {
  const who =
    holder === undefined
      ? "another process"
      : `process ${holder.pid} on ${holder.host}${holder.writer === undefined ? "" : ` (${holder.writer})`}, since ${holder.since}`;
  const byHand =
    epoch === undefined
      ? ""
      : ` If it is certain that the holder is gone, create the empty file ${epoch}.released in that directory.`;
  return new CkptError("CKPT_LOCKED", {
    message: `The lease in ${path} is held by ${who}: ${because}`,
    hint: `Wait until it is released, or stop its holder.${byHand}`,
    details: { path, because, holder: holder && publicHolder(holder) },
  });
}

function publicHolder({ pid, host, since, writer, subject, epoch }: LeaseHolder): Record<string, unknown> {
  return { pid, host, since, writer, subject, epoch };
}
