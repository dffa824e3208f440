import { CkptError } from "@ckpt/errors";

/** `value` if it is a number from 0 on, Infinity included; else (a NaN too) throws `CKPT_INVALID_ARGUMENT`. */
export function notNegative(value: number, name: string): number {
  if (typeof value === "number" && value >= 0) return value;
  throw new CkptError("CKPT_INVALID_ARGUMENT", {
    message: `The option ${name} is ${value}; it must be a number from 0 on`,
    hint: "Leave it out to get the default.",
    details: { argument: name, value },
  });
}
