import type { StandardIssue, StandardSchema } from "@ckpt/core";

/** A Standard Schema that finds what `judge` finds. */
export function schemaOf<State>(judge: (value: State) => readonly StandardIssue[]): StandardSchema<State> {
  const validate = (value: unknown) => {
    const issues = judge(value as State);
    return issues.length > 0 ? { issues } : { value: value as State };
  };
  return { "~standard": { version: 1, vendor: "@ckpt/conformance", validate } };
}
