import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

/** The parts of a chat completion request that the tests look at. */
export interface ChatRequest {
  readonly authorization: string | undefined;
  readonly model: string;
  readonly messages: readonly {
    readonly role: string;
    readonly content: unknown;
    readonly tool_calls?: unknown[];
  }[];
  readonly tools: readonly { readonly function: { readonly name: string } }[];
}

export type Answer =
  | { readonly call: string; readonly input: unknown }
  | { readonly text: string }
  | { readonly status: number; readonly body: string };

/** A server that speaks the OpenAI chat completion protocol and answers as told; stopped when the test ends. */
export async function chatServer(answer: (request: ChatRequest, index: number) => Answer) {
  const requests: ChatRequest[] = [];
  const server = createServer((request, response) => {
    void (async () => {
      if (request.method !== "POST" || request.url !== "/v1/chat/completions") {
        response.writeHead(404).end();
        return;
      }
      const body = JSON.parse(await bodyOf(request)) as Omit<ChatRequest, "authorization">;
      const seen: ChatRequest = { ...body, authorization: request.headers.authorization };
      requests.push(seen);
      const said = answer(seen, requests.length - 1);
      if ("status" in said) {
        response.writeHead(said.status, { "content-type": "application/json" }).end(said.body);
        return;
      }
      response.writeHead(200, { "content-type": "application/json" });
      response.end(JSON.stringify(completion(said, requests.length)));
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => new Promise((resolve) => void server.close(() => resolve())));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`, requests };
}

function completion(said: { call: string; input: unknown } | { text: string }, index: number) {
  const message =
    "call" in said
      ? {
          role: "assistant",
          content: null,
          tool_calls: [
            {
              id: `call_${index}`,
              type: "function",
              function: { name: said.call, arguments: JSON.stringify(said.input) },
            },
          ],
        }
      : { role: "assistant", content: said.text };
  return {
    id: `chatcmpl-${index}`,
    object: "chat.completion",
    created: 1_700_000_000,
    model: "tiny",
    choices: [{ index: 0, message, finish_reason: "call" in said ? "tool_calls" : "stop" }],
    usage: { prompt_tokens: 100, completion_tokens: 10, total_tokens: 110 },
  };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of request) text += String(chunk);
  return text;
}
