import { CkptError, type CommonCode } from "@ckpt/errors";
import type { RetentionPolicy } from "./policy.js";

/** The codes that this package throws. */
export type RetentionErrorCode =
  | Extract<CommonCode, "CKPT_INVALID_ARGUMENT">
  /** A policy without a single rule: it would drop everything, which nobody means. Nothing was planned. */
  | "CKPT_EMPTY_POLICY";

export function invalidArgument(
  message: string,
  hint: string,
  details: Readonly<Record<string, unknown>> = {},
): CkptError<RetentionErrorCode> {
  return new CkptError<RetentionErrorCode>("CKPT_INVALID_ARGUMENT", { message, hint, details });
}

export function emptyPolicy(what: string): CkptError<RetentionErrorCode> {
  return new CkptError<RetentionErrorCode>("CKPT_EMPTY_POLICY", {
    message: `${what} has no rule, so it would drop every checkpoint.`,
    hint: "Give at least one rule, for example keepLast(10); to keep everything, use keepAll().",
  });
}

/** Refuses, by the name of who was given it, anything but a policy. */
export function requirePolicy(value: RetentionPolicy, who: string): RetentionPolicy {
  const { keeps, caps } = (value ?? {}) as Partial<RetentionPolicy>;
  if (Array.isArray(keeps) && Array.isArray(caps)) return value;
  const isRule = typeof value === "function";
  throw invalidArgument(
    `${who} was given ${isRule ? `the function ${(value as { readonly name: string }).name}` : "what is no policy"}.`,
    isRule ? "Call it: keepLast(10) is a policy, keepLast is not." : "Give a policy, such as keepLast(10).",
  );
}

/** Refuses anything but a whole number of at least 1. */
export function requireCount(value: number, parameter: string): number {
  if (Number.isSafeInteger(value) && value >= 1) return value;
  throw invalidArgument(
    `${parameter} must be a whole number of at least 1, not ${String(value)}.`,
    "Leave the rule out to keep nothing by it; use keepAll() to keep everything.",
  );
}
