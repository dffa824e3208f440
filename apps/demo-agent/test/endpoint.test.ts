import { describe, expect, it } from "vitest";
import { AgentState } from "../src/agent/state.js";
import { endpointModel } from "../src/model/endpoint.js";
import { chatServer } from "./chat-server.js";
import { lonelyAgent, runToEnd } from "./surroundings.js";

const settings = (url: string) => ({ CKPT_MODEL_URL: url, CKPT_MODEL_NAME: "tiny", CKPT_MODEL_KEY: "key-1" });

describe("a model behind an OpenAI-compatible endpoint", () => {
  it("drives the same agent: tools are offered, calls are run, results are sent back", async () => {
    const { url, requests } = await chatServer((_request, index) =>
      index === 0
        ? { call: "read_file", input: { path: "a.md" } }
        : { call: "finish_task", input: { summary: "It says hello." } },
    );
    const model = endpointModel(settings(url))!;
    const { agent } = await lonelyAgent(model, { "a.md": "hello" }, { "1": "What does a.md say?" });
    const reports = await runToEnd(agent);
    expect(reports.map((report) => report.tool)).toEqual(["read_file", "finish_task"]);
    expect([...agent.state.findings.values()][0]?.summary).toBe("It says hello.");
    expect(agent.state.counters.tokens).toBe(220);
    expect(requests[0]).toMatchObject({ authorization: "Bearer key-1", model: "tiny" });
    expect(requests[0]?.tools.map((tool) => tool.function.name)).toContain("apply_edits");
    expect(requests[0]?.messages.map((message) => message.role)).toEqual(["system", "user"]);
    expect(requests[1]?.messages.map((message) => message.role)).toEqual([
      "system",
      "user",
      "assistant",
      "tool",
    ]);
    expect(String(requests[1]?.messages[3]?.content)).toContain("hello");
    expect(AgentState.safeParse(agent.state).error).toBeUndefined();
  });

  it("sends only the task at hand, while the state keeps the whole conversation", async () => {
    const { url, requests } = await chatServer(() => ({ text: "Nothing to do." }));
    const { agent } = await lonelyAgent(endpointModel(settings(url))!, {}, { "1": "one", "2": "two" });
    await runToEnd(agent);
    expect(requests.map((request) => request.messages.length)).toEqual([2, 2]);
    expect(agent.state.conversation.map((message) => message.role)).toEqual([
      "user",
      "assistant",
      "user",
      "assistant",
    ]);
  });

  it("takes an answer in words as the finding", async () => {
    const { url } = await chatServer(() => ({ text: "Forty-two." }));
    const { agent } = await lonelyAgent(endpointModel(settings(url))!, {}, { "1": "What is the answer?" });
    await runToEnd(agent);
    expect([...agent.state.findings.values()][0]).toMatchObject({ summary: "Forty-two.", steps: 1 });
  });

  it("hands a call with a wrong input back to the model instead of failing", async () => {
    const { url } = await chatServer((_request, index) =>
      index === 0
        ? { call: "read_file", input: { file: 1 } }
        : { call: "finish_task", input: { summary: "done" } },
    );
    const { agent } = await lonelyAgent(endpointModel(settings(url))!, {}, { "1": "read" });
    const reports = await runToEnd(agent);
    expect(reports[0]?.outcome).toBe("error");
    expect(reports).toHaveLength(2);
  });

  it("rejects with the endpoint's words and leaves the state as it was", async () => {
    const { url } = await chatServer(() => ({ status: 401, body: '{"error":{"message":"no such key"}}' }));
    const { agent } = await lonelyAgent(endpointModel(settings(url))!, {}, { "1": "anything" });
    expect(await agent.hasWork()).toBe(true);
    const before = structuredClone(agent.state);
    await expect(agent.step()).rejects.toThrow("no such key");
    expect(agent.state).toEqual(before);
  });

  it("is not used without a URL, and refuses settings that cannot work", () => {
    expect(endpointModel({})).toBeUndefined();
    expect(endpointModel({ CKPT_MODEL_URL: "" })).toBeUndefined();
    const refused = expect.objectContaining({ code: "CKPT_INVALID_ARGUMENT" });
    expect(() => endpointModel({ CKPT_MODEL_URL: "localhost", CKPT_MODEL_NAME: "m" })).toThrow(refused);
    expect(() => endpointModel({ CKPT_MODEL_URL: "ftp://x/v1", CKPT_MODEL_NAME: "m" })).toThrow(refused);
    expect(() => endpointModel({ CKPT_MODEL_URL: "http://x/v1" })).toThrow(refused);
  });
});
