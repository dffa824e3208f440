import { createHash } from "node:crypto";
import { type LanguageModel, type ModelMessage, stepCountIs, ToolLoopAgent } from "ai";
import { ADVICE_PREFIX, TASK_PREFIX } from "../model/transcript.js";
import { FINISH_TASK } from "../tools/finish-task.js";
import type { Toolbox } from "../tools/toolbox.js";
import type { Mailbox } from "./mailbox.js";
import { type AgentState, freshState } from "./state.js";

const INSTRUCTIONS = `You work through tasks about the files of one folder, with the tools that you are given.
Each task begins with a message "${TASK_PREFIX.trim()}". Call one tool at a time. When the task is done, call ${FINISH_TASK} with a summary.
A message that begins with "${ADVICE_PREFIX.trim()}" says which steps led nowhere and were undone: do not repeat them.`;

const MAX_LESSONS = 3;
const MAX_RECENT_ACTIONS = 3;

/** What one step did, for the log, the status line and the drift monitor. */
export interface StepReport {
  readonly step: number;
  /** The first line of the task. */
  readonly task: string;
  /** The tools called, `answer` when the model only wrote text. */
  readonly tool: string;
  /** The call with its input: equal strings are the same action. */
  readonly action: string;
  /** Hash of what came back: equal strings are the same observation. */
  readonly observation: string;
  readonly outcome: "ok" | "error";
  /** The error that a tool ended with. */
  readonly error: string | undefined;
  readonly durationMs: number;
  readonly tokens: number;
  /** Set when the step finished its task. */
  readonly finishedTaskId: string | undefined;
}

export interface AgentOptions {
  readonly model: LanguageModel;
  readonly mailbox: Mailbox;
  readonly tools: Toolbox;
}

/**
 * The agent: a tool loop on the SDK, taken one step (one answer of the model and the tools it calls) at a time, so that every
 * step can be saved before the next begins.
 *
 * The SDK's `onStepFinish` would be a shorter way to a checkpoint, but it swallows what its callback throws: a save that failed
 * would go unnoticed. So the loop is outside, and the SDK is asked for one step.
 */
export class Agent {
  /** All that the agent knows. Replaced as a whole when a checkpoint is restored. */
  state: AgentState = freshState();
  /** The different calls of the last steps, newest last, also of steps that were undone since. */
  recentActions: readonly string[] = [];
  readonly #mailbox: Mailbox;
  readonly #loop: ToolLoopAgent<never, Toolbox>;

  constructor({ model, mailbox, tools }: AgentOptions) {
    this.#mailbox = mailbox;
    this.#loop = new ToolLoopAgent<never, Toolbox>({
      model,
      tools,
      instructions: INSTRUCTIONS,
      stopWhen: stepCountIs(1),
    });
  }

  /** Takes new mail in, and the next task when there is none. False when there is nothing to do. */
  async hasWork(): Promise<boolean> {
    if (this.state.current !== null) return true;
    const { taken, queue } = this.state;
    for (const task of await this.#mailbox.collect(taken)) {
      taken.add(task.id);
      queue.push(task);
    }
    const next = queue.shift();
    if (next === undefined) return false;
    this.state.current = next;
    this.state.taskBeganAt = this.state.step + 1;
    this.#say(TASK_PREFIX + next.text);
    for (const lesson of this.state.lessons.slice(-MAX_LESSONS)) this.#say(ADVICE_PREFIX + lesson);
    return true;
  }

  /** Nothing is under way and nothing waits. */
  get isDone(): boolean {
    return this.state.current === null && this.state.queue.length === 0;
  }

  /** Advice after a rollback: the model reads it before its next answer, and again with every task to come. */
  advise(lesson: string): void {
    this.state.counters.rollbacks += 1;
    this.state.lessons.push(lesson);
    if (this.state.current !== null) this.#say(ADVICE_PREFIX + lesson);
  }

  #say(text: string): void {
    this.state.conversation.push({ role: "user", content: text });
  }

  /** One answer of the model and the tools that it calls. Call it only when {@link hasWork} said so. */
  async step(signal?: AbortSignal): Promise<StepReport> {
    const started = performance.now();
    const task = this.state.current!;
    const result = await this.#loop.generate({
      // The state keeps the whole conversation; the model needs the task at hand.
      messages: sinceLastTask(this.state.conversation),
      ...(signal === undefined ? {} : { abortSignal: signal }),
    });
    // A guarded tool that failed has replaced the state meanwhile: it is read anew here.
    const { state } = this;
    const { messages } = result.response;
    state.conversation.push(...messages);
    const failure = result.content.find((part) => part.type === "tool-error");
    const tools = result.toolCalls.map((call) => call.toolName);
    const action = result.toolCalls
      .map((call) => `${call.toolName} ${JSON.stringify(call.input)}`)
      .join(", ");
    const others = this.recentActions.filter((recent) => recent !== action);
    this.recentActions = [...others, action].slice(-MAX_RECENT_ACTIONS);
    this.#count(tools, failure !== undefined, result.totalUsage.totalTokens ?? 0);
    if (tools.length === 0) this.#finishWithText(result.text);
    const finished = state.findings.has(task.id);
    state.step += 1;
    if (finished) state.current = null;
    return {
      step: state.step,
      task: firstLine(task.text),
      tool: tools.join("+") || "answer",
      action,
      observation: hash(messages.filter((message) => message.role === "tool").map(withoutCallIds)),
      outcome: failure === undefined ? "ok" : "error",
      error: failure?.error instanceof Error ? failure.error.message : failure && String(failure.error),
      durationMs: performance.now() - started,
      tokens: result.totalUsage.totalTokens ?? 0,
      finishedTaskId: finished ? task.id : undefined,
    };
  }

  /** A model that answers in words instead of calling a tool has nothing more to do: its words are the finding. */
  #finishWithText(text: string): void {
    const { current, findings, step, taskBeganAt } = this.state;
    if (current === null) return;
    findings.set(current.id, {
      taskId: current.id,
      request: firstLine(current.text),
      summary: text.trim().slice(0, 4_000) || "(the model gave no answer)",
      notes: [],
      steps: step - taskBeganAt + 2,
      finishedAt: new Date(),
    });
  }

  #count(tools: readonly string[], failed: boolean, tokens: number): void {
    const { counters } = this.state;
    counters.modelCalls += 1;
    counters.tokens += tokens;
    if (failed) counters.toolFailures += 1;
    for (const name of tools) counters.toolCalls.set(name, (counters.toolCalls.get(name) ?? 0) + 1);
  }
}

/** The messages from the last task on; a model's window is small, a history is not. */
function sinceLastTask(messages: readonly ModelMessage[]): ModelMessage[] {
  const start = messages.findLastIndex(
    ({ role, content }) => role === "user" && textOf(content).startsWith(TASK_PREFIX),
  );
  return messages.slice(Math.max(0, start));
}

function textOf(content: ModelMessage["content"]): string {
  if (typeof content === "string") return content;
  return content.map((part) => (part.type === "text" ? part.text : "")).join("");
}

const firstLine = (text: string): string => text.split("\n", 1)[0]!.slice(0, 200);

const withoutCallIds = (message: ModelMessage): unknown =>
  JSON.parse(JSON.stringify(message, (key, value: unknown) => (key === "toolCallId" ? undefined : value)));

const hash = (value: unknown): string =>
  createHash("sha256").update(JSON.stringify(value)).digest("hex").slice(0, 32);
