const BRAND = Symbol.for("@ckpt/error");

/** What a {@link CkptError} is made of. */
export interface CkptErrorInit {
  /** What happened, in one sentence, with the values that matter. May change between versions; match on `code`. */
  message: string;
  /** What the reader can do about it. */
  hint?: string;
  /** The error that led to this one. */
  cause?: unknown;
  /** Machine-readable facts (paths, ids, holder, JSON path); plain JSON. */
  details?: Readonly<Record<string, unknown>>;
}

/**
 * The base of every error that `@ckpt/*` throws.
 *
 * `code` is stable within a major version; `message` is for people and may change. `hint` says what to do.
 * `cause` keeps the original error, `details` holds facts for programs.
 */
export class CkptError<Code extends string = string> extends Error {
  readonly code: Code;
  readonly hint: string | undefined;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: Code, init: CkptErrorInit) {
    super(init.message, init.cause === undefined ? undefined : { cause: init.cause });
    this.name = "CkptError";
    this.code = code;
    this.hint = init.hint;
    this.details = init.details ?? {};
    Object.defineProperty(this, BRAND, { value: true });
  }

  /** `code: message (hint)`, the form that people should see in a log. */
  override toString(): string {
    return `${this.code}: ${this.message}${this.hint === undefined ? "" : ` (${this.hint})`}`;
  }

  /** Plain JSON for a log line: code, message, hint, details and the messages of the causes. */
  toJSON(): Record<string, unknown> {
    const causes: string[] = [];
    for (let c: unknown = this.cause; c !== undefined && causes.length < 8; ) {
      causes.push(wordsOf(c));
      c = c instanceof Error ? c.cause : undefined;
    }
    return { code: this.code, message: this.message, hint: this.hint, details: this.details, causes };
  }
}

/** Anything can be thrown, also what has no text: an object without a prototype. */
function wordsOf(cause: unknown): string {
  try {
    return String(cause instanceof Error ? cause.message : cause);
  } catch {
    return `a value without a text (${typeof cause})`;
  }
}

/**
 * Whether `value` is a {@link CkptError}, from this or any other installed copy of the package
 * (an `instanceof` fails across copies). With `code`, also whether it carries that code.
 */
export function isCkptError<Code extends string>(value: unknown, code?: Code): value is CkptError<Code> {
  if (typeof value !== "object" || value === null || !(BRAND in value)) return false;
  return code === undefined || ("code" in value && value.code === code);
}
