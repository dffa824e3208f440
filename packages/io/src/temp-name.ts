import { randomBytes } from "node:crypto";

/** Fixed length, so that a long name beside it cannot push it over the limit of the file system. */
const shape = /^\.ckpt-[0-9a-f]{24}\.tmp$/;

/** A fresh random name for a temporary file. */
export function tempName(): string {
  return `.ckpt-${randomBytes(12).toString("hex")}.tmp`;
}

/** Whether a name is one that {@link tempName} makes. */
export function isTempName(name: string): boolean {
  return shape.test(name);
}
