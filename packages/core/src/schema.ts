import { CkptError } from "@ckpt/errors";
import { isThenable, onRejection } from "./thenable.js";

/**
 * The part of Standard Schema (https://standardschema.dev, version 1) that validation needs. zod, valibot, arktype and others
 * implement it. It judges a state; what it returns is not stored: a state is kept as it was put, without the
 * schema's defaults and transforms.
 */
export interface StandardSchema<Input = unknown, Output = unknown> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => StandardResult<Output> | Promise<StandardResult<Output>>;
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

export type StandardResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly StandardIssue[] };

export interface StandardIssue {
  readonly message: string;
  readonly path?: ReadonlyArray<PropertyKey | { readonly key: PropertyKey }> | undefined;
}

/** How many issues an error carries; the number of all of them is in `details.issueCount`. */
const ISSUES_SHOWN = 20;

/**
 * Judges a live state before it is captured. Synchronous, because the capture is: a schema that answers with a promise
 * is refused with `CKPT_UNSUPPORTED`; a state that it refuses, with `CKPT_INVALID_STATE`.
 */
export function validateOnSave(schema: StandardSchema, state: unknown): void {
  const result = run(schema, () => schema["~standard"].validate(state), "to be saved");
  if (isThenable(result)) {
    onRejection(result, () => {}); // Its verdict comes too late to count.
    throw new CkptError("CKPT_UNSUPPORTED", {
      message: "The schema answers with a promise, but a state is captured before the call returns.",
      hint: "Use a schema without asynchronous checks; do those before the save.",
      details: { vendor: schema["~standard"].vendor },
    });
  }
  judge(result, "to be saved");
}

/** Judges a restored state; a schema's promise is awaited. Rejects with `CKPT_INVALID_STATE`. */
export async function validateOnRestore(schema: StandardSchema, state: unknown, id: string): Promise<void> {
  const what = `of checkpoint ${id}`;
  try {
    judge(await run(schema, () => schema["~standard"].validate(state), what), what);
  } catch (error) {
    throw error instanceof CkptError ? error : thrown(schema, error, what);
  }
}

function run<T>(schema: StandardSchema, validate: () => T, what: string): T {
  try {
    return validate();
  } catch (error) {
    throw thrown(schema, error, what);
  }
}

function thrown(schema: StandardSchema, cause: unknown, what: string): CkptError {
  return new CkptError("CKPT_INVALID_STATE", {
    message: `The schema threw while it looked at the state ${what}.`,
    hint: "A schema should report issues, not throw; see the cause.",
    cause,
    details: { vendor: schema["~standard"].vendor, issues: [], issueCount: 0 },
  });
}

function judge(result: StandardResult<unknown>, what: string): void {
  if (result.issues === undefined) return;
  const issues = result.issues.slice(0, ISSUES_SHOWN).map((issue) => ({
    path: pathOf(issue),
    message: issue.message,
  }));
  const first = issues[0];
  throw new CkptError("CKPT_INVALID_STATE", {
    message: `The schema refuses the state ${what}${first ? `: ${first.path}: ${first.message}` : ""}.`,
    hint: "Correct the state, or the schema; a schema that changed needs a new version and a migration.",
    details: { issues, issueCount: result.issues.length },
  });
}

function pathOf(issue: StandardIssue): string {
  const keys = (issue.path ?? []).map((part) => (typeof part === "object" ? part.key : part));
  return keys.reduce<string>(
    (path, key) => path + (typeof key === "number" ? `[${key}]` : `.${String(key)}`),
    "$",
  );
}
