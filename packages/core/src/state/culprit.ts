import { CkptError } from "@ckpt/errors";

const NAME = /^[A-Za-z_$][\w$]*$/;

/** `$.a[3]["odd key"]`. */
function jsonPath(segments: readonly (string | number)[]): string {
  let path = "$";
  for (const segment of segments) {
    if (typeof segment === "number") path += `[${segment}]`;
    else path += NAME.test(segment) ? `.${segment}` : `[${JSON.stringify(segment)}]`;
  }
  return path;
}

/** What a slow walk found: where, what, and which of the two errors it is. */
export class Culprit extends Error {
  readonly path: string;

  constructor(
    readonly kind: "refused" | "limit",
    segments: readonly (string | number)[],
    readonly reason: string,
    cause?: unknown,
  ) {
    super(reason, { cause });
    this.name = "Culprit";
    this.path = jsonPath(segments);
  }

  /** `cause` is what the fast walk met, when it was more than a refusal. */
  toError(cause: unknown): CkptError<"CKPT_REFUSED_STATE" | "CKPT_LIMIT"> {
    const details = { path: this.path, reason: this.reason };
    const origin = typeof cause === "symbol" || cause === undefined ? this.cause : cause;
    if (this.kind === "limit") {
      return new CkptError("CKPT_LIMIT", {
        message: `The state at ${this.path} passes a limit: ${this.reason}.`,
        hint: "Keep less in the state, or raise the limit that is named.",
        cause: origin,
        details,
      });
    }
    return new CkptError("CKPT_REFUSED_STATE", {
      message: `The state holds ${this.reason} at ${this.path}, which cannot be kept exactly.`,
      hint: "Leave it out of the state, turn it into plain data, or register a class codec for it.",
      cause: origin,
      details,
    });
  }
}
