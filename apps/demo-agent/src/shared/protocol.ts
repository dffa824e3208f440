import { z } from "zod";

/**
 * What the agent's process writes to its stdout, one JSON object per line. Writes to a pipe are synchronous, so a line that was
 * written before a SIGKILL reaches the parent.
 */
export const Line = z.discriminatedUnion("type", [
  /** First line: what this process found in the store. */
  z.object({
    type: z.literal("hello"),
    pid: z.number(),
    model: z.string(),
    /** The checkpoint that was applied; null in a new run. */
    recovered: z.object({ checkpointId: z.string(), sequence: z.number(), stateHash: z.string() }).nullable(),
    step: z.number(),
    /** What recovery met on its way: skipped checkpoints, unfinished guards, findings. */
    remarks: z.array(z.string()),
    recoverMs: z.number(),
  }),
  /** A step begins. */
  z.object({ type: z.literal("begun"), step: z.number(), task: z.string() }),
  /** The step's work is done; its state is being saved. */
  z.object({ type: z.literal("saving"), step: z.number() }),
  /** A checkpoint is durable. From here on it must never be lost. */
  z.object({
    type: z.literal("ack"),
    checkpointId: z.string(),
    sequence: z.number(),
    stateHash: z.string(),
    name: z.string(),
    step: z.number(),
  }),
  /** A step was saved. */
  z.object({
    type: z.literal("step"),
    step: z.number(),
    task: z.string(),
    tool: z.string(),
    /** The calls with their inputs. */
    action: z.string(),
    outcome: z.enum(["ok", "error"]),
    error: z.string().optional(),
    durationMs: z.number(),
    saveMs: z.number(),
    finishedTaskId: z.string().optional(),
    tasksDone: z.number(),
    tasksWaiting: z.number(),
  }),
  /** The drift monitor raised its verdict. */
  z.object({
    type: z.literal("drift"),
    level: z.string(),
    step: z.number(),
    /** The last checkpoint from before it began; empty when none is known. */
    lastGoodId: z.string(),
    evidence: z.array(z.string()),
  }),
  /** An older checkpoint is about to be made current, on purpose. */
  z.object({ type: z.literal("restoring"), reason: z.string() }),
  /** The state is that of an older checkpoint again. */
  z.object({
    type: z.literal("restored"),
    reason: z.string(),
    checkpointId: z.string(),
    fromStep: z.number(),
    toStep: z.number(),
  }),
  /** A guarded operation ended. */
  z.object({
    type: z.literal("guard"),
    operation: z.string(),
    outcome: z.enum(["completed", "undone", "not-undone"]),
    detail: z.string(),
  }),
  /** Something a reader should know: a fallback, a finding. */
  z.object({ type: z.literal("remark"), text: z.string() }),
  /** Last line of a process that ended by itself. */
  z.object({
    type: z.literal("ended"),
    reason: z.enum(["finished", "steps", "stopped"]),
    step: z.number(),
    tasksDone: z.number(),
    tasksWaiting: z.number(),
  }),
  /** Last line of a process that cannot go on. */
  z.object({ type: z.literal("failed"), code: z.string(), message: z.string(), hint: z.string().optional() }),
]);
export type Line = z.infer<typeof Line>;

/** What the parent tells the agent's process, as its one argument. */
export const Orders = z.object({
  /** The run's directory. */
  directory: z.string(),
  folder: z.string(),
  mailbox: z.string(),
  seed: z.number(),
  /** Steps that this process may take; null for no limit. */
  maxSteps: z.number().nullable(),
  /** Time that the scripted model takes for an answer, in milliseconds. */
  latencyMs: z.object({ min: z.number(), max: z.number() }),
});
export type Orders = z.infer<typeof Orders>;
