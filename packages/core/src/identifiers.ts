import { CkptError } from "@ckpt/errors";

/** The longest agent id, session id or checkpoint name, in UTF-8 bytes. */
export const ID_MAX_BYTES = 200;
/** The longest checkpoint id: an agent id, a colon and a number. */
export const CHECKPOINT_ID_MAX_BYTES = 256;

/*
 * One rule for every id: a non-empty string of well-formed Unicode without control characters, bounded in bytes.
 * `..`, `/`, `CON`, `A` beside `a` and the like are ordinary ids: no place uses an id as a path or a key without encoding
 * it. What is refused here is what no encoding makes harmless: a lone surrogate has no UTF-8, so two different ids
 * would be stored as one; NUL and other controls forge lines in logs and terminals, and so do the two Unicode line
 * separators and the characters that reverse the direction of text.
 */

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for.
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/u;
/** What nearly every id is: it breaks none of the rules, and has as many bytes as characters. */
const PRINTABLE_ASCII = /^[ -~]+$/;
const CONTROLS = new RegExp(CONTROL, "gu");
/** One of each kind of name, for hints; by how the kind's own name ends. */
const EXAMPLES: readonly (readonly [string, string])[] = [
  ["checkpoint id", "agent-3:7"],
  ["name", "routine"],
  ["operation", "apply-edits"],
];
const LONE_SURROGATE = /\p{Surrogate}/u;

/**
 * Returns `value` when it can be an agent id or session id; else throws `CKPT_INVALID_ID` with the rule that it breaks in
 * `details.rule`. `what` names the value in the message.
 */
export function validateAgentId(value: unknown, what = "agent id"): string {
  return validate(value, what, ID_MAX_BYTES);
}

/** The same rule for the name (type) of a checkpoint. */
export function validateName(value: unknown, what = "checkpoint name"): string {
  return validate(value, what, ID_MAX_BYTES);
}

/** The same rule for the id of a checkpoint, up to {@link CHECKPOINT_ID_MAX_BYTES}. */
export function validateCheckpointId(value: unknown, what = "checkpoint id"): string {
  return validate(value, what, CHECKPOINT_ID_MAX_BYTES);
}

function validate(value: unknown, what: string, maxBytes: number): string {
  if (typeof value !== "string") throw refused(what, maxBytes, "string", `is ${kind(value)}, not a string`);
  if (value.length <= maxBytes && PRINTABLE_ASCII.test(value)) return value;
  if (value === "") throw refused(what, maxBytes, "non-empty", "is empty", value);
  // The length in UTF-16 units bounds the work before the bytes are counted.
  if (value.length > maxBytes || Buffer.byteLength(value) > maxBytes)
    throw refused(what, maxBytes, "length", `is longer than ${maxBytes} bytes`, value);
  if (LONE_SURROGATE.test(value))
    throw refused(what, maxBytes, "well-formed", "has half of a surrogate pair in it", value);
  if (CONTROL.test(value)) throw refused(what, maxBytes, "control", "has a control character in it", value);
  return value;
}

function refused(what: string, maxBytes: number, rule: string, says: string, value?: string): CkptError {
  // Shown without the characters that would forge a line of a log.
  const shown = value === undefined ? "" : ` ${JSON.stringify(value.slice(0, 60).replace(CONTROLS, "?"))}`;
  const example = EXAMPLES.find(([ending]) => what.endsWith(ending))?.[1] ?? "agent-3";
  return new CkptError("CKPT_INVALID_ID", {
    message: `The ${what}${shown} ${says}.`,
    hint: `Use a non-empty string of at most ${maxBytes} bytes without control characters, such as "${example}".`,
    details: { what, rule },
  });
}

/** What kind of value something is, as a sentence says it. */
export function kind(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return "an array";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}
