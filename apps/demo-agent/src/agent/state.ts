import type { ModelMessage } from "ai";
import { z } from "zod";

/** A unit of work: the text of one file that was dropped into the mailbox. */
export const Task = z.object({
  /** The file's name and the start of its content's hash: a changed file is a new task. */
  id: z.string(),
  text: z.string(),
  receivedAt: z.date(),
});
export type Task = z.infer<typeof Task>;

/** What came of a task. */
const Finding = z.object({
  taskId: z.string(),
  request: z.string(),
  summary: z.string(),
  notes: z.array(z.string()),
  steps: z.number().int(),
  finishedAt: z.date(),
});

const ROLES: ReadonlySet<unknown> = new Set(["user", "assistant", "tool", "system"]);

/**
 * A message in the SDK's own form. Its outer shape only: a state is judged at every save, and the SDK's full
 * `modelMessageSchema` takes milliseconds on a long conversation; the SDK applies that one itself to what it sends.
 */
const Message = z.custom<ModelMessage>((value) => {
  if (typeof value !== "object" || value === null || !("role" in value) || !("content" in value))
    return false;
  const { role, content } = value;
  return (
    ROLES.has(role) && (typeof content === "string" || (Array.isArray(content) && content.every(isPart)))
  );
});

const isPart = (part: unknown): boolean =>
  typeof part === "object" && part !== null && "type" in part && typeof part.type === "string";

/**
 * Everything the agent knows. It is saved whole after each step, and nothing the agent needs lives anywhere else:
 * a process that loads it goes on as if it had never been another.
 */
export const AgentState = z.object({
  /** Steps on this line of history; goes back when a rollback does. */
  step: z.number().int(),
  /** The step at which the current task began. */
  taskBeganAt: z.number().int(),
  /** Every message of the run, in the SDK's own form. */
  conversation: z.array(Message),
  queue: z.array(Task),
  current: Task.nullable(),
  /** Mailbox entries that were taken in, so that each becomes a task once. */
  taken: z.set(z.string()),
  findings: z.map(z.string(), Finding),
  /** The scratch working copy: path → text. The files on disk follow it, also when it is rolled back. */
  drafts: z.map(z.string(), z.string()),
  /** What did not work, from rollbacks: told to the model again with every task. */
  lessons: z.array(z.string()),
  counters: z.object({
    modelCalls: z.number().int(),
    tokens: z.number().int(),
    toolCalls: z.map(z.string(), z.number().int()),
    toolFailures: z.number().int(),
    rollbacks: z.number().int(),
  }),
});
export type AgentState = z.infer<typeof AgentState>;

export function freshState(): AgentState {
  return {
    step: 0,
    taskBeganAt: 0,
    conversation: [],
    queue: [],
    current: null,
    taken: new Set(),
    findings: new Map(),
    drafts: new Map(),
    lessons: [],
    counters: { modelCalls: 0, tokens: 0, toolCalls: new Map(), toolFailures: 0, rollbacks: 0 },
  };
}
