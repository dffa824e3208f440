import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { AgentState } from "../src/agent/state.js";
import { scriptedModel } from "../src/model/scripted.js";
import type { Guard } from "../src/tools/apply-edits.js";
import { lonelyAgent, runToEnd } from "./surroundings.js";

const model = (seed = 1) => scriptedModel({ seed, latencyMs: { min: 0, max: 0 } });
const long = Array.from({ length: 90 }, (_, i) => (i % 30 === 0 ? `## Part ${i / 30}` : `line ${i}`)).join(
  "\n",
);

describe("the agent with the scripted model, through the SDK", () => {
  it("outlines a file: reads it piece by piece, counts, writes a note and finishes", async () => {
    const { agent, notesDirectory } = await lonelyAgent(
      model(),
      { "doc.md": long },
      { "1.txt": "Outline doc.md" },
    );
    const reports = await runToEnd(agent);
    expect(reports.map((report) => report.tool)).toEqual([
      "read_file",
      "read_file",
      "read_file",
      "count",
      "write_note",
      "finish_task",
    ]);
    const [finding] = [...agent.state.findings.values()];
    expect(finding).toMatchObject({ steps: 6, notes: ["outline-of-doc-md.md"] });
    expect(finding?.summary).toBe("doc.md: 90 lines, 183 words, 3 headings or exports.");
    expect(await readFile(join(notesDirectory, "outline-of-doc-md.md"), "utf8")).toContain("- `## Part 2`");
  });

  it("counts over the files of a directory", async () => {
    const files = { "src/a.ts": "one two one", "src/b.ts": "one", "other.md": "one" };
    const { agent } = await lonelyAgent(model(), files, { "1.txt": 'Count "one" in src' });
    await runToEnd(agent);
    expect([...agent.state.findings.values()][0]?.summary).toBe('"one" occurs 3 times in 2 files of src.');
  });

  it("keeps a state that its schema takes, and the same run gives the same conversation", async () => {
    const run = async () => {
      const files = { "a.md": long, "b.ts": "export const alpha = 1;" };
      const { agent } = await lonelyAgent(model(), files, { "1": "Outline a.md", "2": 'Find "alpha"' });
      await runToEnd(agent);
      return agent.state;
    };
    const [first, second] = [await run(), await run()];
    expect(AgentState.safeParse(first).error).toBeUndefined();
    expect(second.conversation).toEqual(first.conversation);
    expect(first.conversation.length).toBeGreaterThan(20);
  });

  it("goes on with the same answers when another process continues from its state", async () => {
    const files = { "a.md": long };
    const whole = await lonelyAgent(model(), files, { "1": "Outline a.md" });
    const tools = (await runToEnd(whole.agent)).map((report) => report.tool);
    const first = await lonelyAgent(model(), files, { "1": "Outline a.md" });
    const before = await runToEnd(first.agent, 2);
    const second = await lonelyAgent(model(), files, { "1": "Outline a.md" });
    second.agent.state = structuredClone(first.agent.state);
    const after = await runToEnd(second.agent);
    expect([...before, ...after].map((report) => report.tool)).toEqual(tools);
  });

  it("falls into a loop when nothing is found, and takes another way when it is advised", async () => {
    const { agent } = await lonelyAgent(
      model(),
      { "a.ts": "const Snapshot = 1;" },
      { "1": 'Find "misSnapshot"' },
    );
    const stuck = await runToEnd(agent, 9);
    expect(stuck.map((report) => report.tool).slice(3)).toEqual(
      stuck.map((report) => report.tool).slice(0, -3),
    );
    expect(new Set(stuck.map((report) => report.observation)).size).toBe(3);
    expect(new Set(stuck.map((report) => report.action)).size).toBe(3);
    agent.advise("searching for misSnapshot led nowhere; take another way.");
    const free = await runToEnd(agent);
    expect(free.map((report) => report.tool)).toEqual(["search", "read_file", "write_note", "finish_task"]);
    expect([...agent.state.findings.values()][0]?.summary).toContain(
      '"misSnapshot" is nowhere; searched for "Snapshot"',
    );
  });

  it("takes each mailbox file once, and a changed one again", async () => {
    const { agent, mailbox } = await lonelyAgent(model(), { "a.ts": "x" }, { "1": 'Find "x"' });
    await runToEnd(agent);
    expect(await agent.hasWork()).toBe(false);
    await writeFile(join(mailbox.directory, "1"), 'Find "x" once more');
    await writeFile(join(mailbox.directory, ".hidden"), 'Find "x"');
    await runToEnd(agent);
    expect(agent.state.findings.size).toBe(2);
  });

  it("tells the model that a tool failed, and goes on", async () => {
    const { agent } = await lonelyAgent(model(), { "a.ts": "x" }, { "1": "Outline ../../etc/passwd" });
    const reports = await runToEnd(agent);
    expect(reports[0]).toMatchObject({ tool: "read_file", outcome: "error" });
    expect(reports[0]?.error).toContain("outside the agent's folder");
    expect([...agent.state.findings.values()][0]?.summary).toContain("could not be read");
  });
});

describe("the edit plan", () => {
  const files = { "a.md": "first line here", "b.md": "second line here" };
  const plan = {
    edits: [
      { path: "a.md", find: "first line", replace: "1st line" },
      { path: "b.md", find: "no such text", replace: "" },
      { path: "b.md", find: "second line", replace: "2nd line" },
    ],
  };
  const mail = { "1": `Apply this edit plan in the working copy:\n${JSON.stringify(plan)}` };

  it("leaves files half edited when it fails without a guard", async () => {
    const { agent, workshop } = await lonelyAgent(model(), files, mail);
    const reports = await runToEnd(agent, 2);
    expect(reports[1]).toMatchObject({ tool: "apply_edits", outcome: "error" });
    expect(await workshop.read("a.md")).toBe("1st line here");
    expect(await workshop.read("b.md")).toBe("second line here");
  });

  it("is undone on disk when the state is put back, and then done without the edit that cannot work", async () => {
    const seen: string[] = [];
    const guard: Guard = async (_operation, fn) => {
      const before = structuredClone(agent.state);
      try {
        return await fn();
      } catch (error) {
        seen.push(await workshop.read("a.md"));
        agent.state = before;
        await workshop.follow(agent.state.drafts);
        seen.push(await workshop.read("a.md"));
        throw error;
      }
    };
    const { agent, workshop } = await lonelyAgent(model(), files, mail, guard);
    await runToEnd(agent);
    expect(seen).toEqual(["1st line here", "first line here"]);
    expect(await workshop.read("a.md")).toBe("1st line here");
    expect(await workshop.read("b.md")).toBe("2nd line here");
    expect([...agent.state.findings.values()][0]?.summary).toBe(
      "Applied 2 of 3 edits. 1 could not be applied and was left out.",
    );
  });

  it("removes from the working copy what the state does not know, and nothing outside it", async () => {
    const { workshop } = await lonelyAgent(model(), files, {});
    await workshop.write("stray/x.md", "x");
    await workshop.follow(new Map([["kept.md", "k"]]));
    await expect(workshop.read("stray/x.md")).rejects.toMatchObject({ code: "ENOENT" });
    expect(await workshop.read("kept.md")).toBe("k");
    await expect(workshop.write("../x.md", "x")).rejects.toMatchObject({ code: "CKPT_NO_PERMISSION" });
  });
});
