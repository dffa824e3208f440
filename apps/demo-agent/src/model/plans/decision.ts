import type { Transcript } from "../transcript.js";

/** What a model says next: a tool to call. */
export interface Decision {
  readonly tool: string;
  readonly input: Readonly<Record<string, unknown>>;
}

/** A way of working on one kind of task: looks at what happened so far and says what comes next. It remembers nothing. */
export interface Plan {
  /** The plan's own reading of a request, or undefined when it is not for this plan. */
  readonly matches: (request: string) => boolean;
  readonly next: (transcript: Transcript) => Decision;
}

export const finish = (summary: string, notes: readonly string[] = []): Decision => ({
  tool: "finish_task",
  input: { summary, notes: [...notes] },
});

/** The field of a tool's output, when it is there and a string. */
export function textField(output: unknown, key: string): string {
  const value = field(output, key);
  return typeof value === "string" ? value : "";
}

export function numberField(output: unknown, key: string): number {
  const value = field(output, key);
  return typeof value === "number" ? value : 0;
}

export function listField(output: unknown, key: string): unknown[] {
  const value = field(output, key);
  return Array.isArray(value) ? value : [];
}

function field(output: unknown, key: string): unknown {
  if (typeof output !== "object" || output === null || !Object.hasOwn(output, key)) return undefined;
  return (output as Record<string, unknown>)[key];
}
