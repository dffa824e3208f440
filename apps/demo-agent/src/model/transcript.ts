import type { MockLanguageModelV3 } from "ai/test";

/** What the SDK hands a model, in the provider's form. */
export type ModelCall = Parameters<MockLanguageModelV3["doGenerate"]>[0];

/** One tool call of the current task, with what came back. */
export interface Exchange {
  readonly tool: string;
  readonly input: unknown;
  readonly output: unknown;
  readonly failed: boolean;
}

/** The current task as a model sees it in the conversation. */
export interface Transcript {
  readonly request: string;
  /** Advice that a supervisor added after a rollback, oldest first. */
  readonly advice: readonly string[];
  readonly exchanges: readonly Exchange[];
}

/** How the agent's messages to the model begin. A real model reads them as words; the scripted one finds its place by them. */
export const TASK_PREFIX = "Task: ";
export const ADVICE_PREFIX = "Supervisor: ";

/** Reads a prompt from the last task on. */
export function readTranscript(prompt: ModelCall["prompt"]): Transcript {
  let request = "";
  let advice: string[] = [];
  let exchanges: Exchange[] = [];
  const inputs = new Map<string, unknown>();
  for (const message of prompt) {
    if (message.role === "user") {
      const text = message.content.map((part) => (part.type === "text" ? part.text : "")).join("");
      if (text.startsWith(TASK_PREFIX)) {
        request = text.slice(TASK_PREFIX.length);
        advice = [];
        exchanges = [];
      } else if (text.startsWith(ADVICE_PREFIX)) advice.push(text.slice(ADVICE_PREFIX.length));
    } else if (message.role === "assistant") {
      for (const part of message.content)
        if (part.type === "tool-call") inputs.set(part.toolCallId, part.input);
    } else if (message.role === "tool") {
      for (const part of message.content) {
        if (part.type !== "tool-result") continue;
        const { output, toolName, toolCallId } = part;
        const failed = output.type === "error-text" || output.type === "error-json";
        const value = "value" in output ? output.value : null;
        exchanges.push({ tool: toolName, input: inputs.get(toolCallId), output: value, failed });
      }
    }
  }
  return { request, advice, exchanges };
}
