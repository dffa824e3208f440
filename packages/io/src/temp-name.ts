import { randomBytes } from "node:crypto";

/** Fixed length, so that a long name beside it cannot push it over the limit of the file system. */
const shape = /^\.ckpt-[0-9a-f]{24}\.tmp$/;

/** The first digits of all names made here; random, so that another process has others. */
let own: string | undefined;

/** A fresh random name for a temporary file. */
export function tempName(): string {
  own ??= `.ckpt-${randomBytes(4).toString("hex")}`;
  return `${own}${randomBytes(8).toString("hex")}.tmp`;
}

/** Whether {@link tempName} made the name in this process: its writer is not dead. */
export function isOwnTempName(name: string): boolean {
  return own !== undefined && name.startsWith(own) && isTempName(name);
}

/** Whether a name is one that {@link tempName} makes. */
export function isTempName(name: string): boolean {
  return shape.test(name);
}
