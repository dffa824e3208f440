import { CkptError } from "@ckpt/errors";

/** `value` if it is a whole number of at least 1 and at most `most` (Infinity: that too); else throws `CKPT_INVALID_ARGUMENT`. */
export function positive(value: number, name: string, most: number = Number.MAX_SAFE_INTEGER): number {
  if ((Number.isInteger(value) || value === Number.POSITIVE_INFINITY) && value >= 1 && value <= most) {
    return value;
  }
  throw new CkptError("CKPT_INVALID_ARGUMENT", {
    message: `The option ${name} is ${value}; it must be a whole number from 1 to ${most}`,
    hint: "Leave it out to get the default.",
    details: { argument: name, value },
  });
}
