import { join } from "node:path";
import { superviseLoop } from "@ckpt/resilient";
import { describe, expect, it } from "vitest";
import { Agent } from "../src/agent/agent.js";
import { openCheckpoints } from "../src/agent/checkpoints.js";
import { filesGuard } from "../src/agent/files-guard.js";
import { Mailbox } from "../src/agent/mailbox.js";
import { Workshop } from "../src/agent/workshop.js";
import { scriptedModel } from "../src/model/scripted.js";
import type { Line } from "../src/shared/protocol.js";
import { Sandbox } from "../src/tools/sandbox.js";
import { toolbox } from "../src/tools/toolbox.js";
import { scratch } from "./scratch.js";

/** One life of an agent on the store in `run`, and what it says. */
async function life(run: string, folder: string, mail: string) {
  const lines: Line[] = [];
  const say = (line: Line) => void lines.push(line);
  const workshop = new Workshop(join(run, "working-copy"));
  const { checkpoints, keepLesson } = openCheckpoints({
    directory: join(run, "checkpoints"),
    agent: () => agent,
    workshop,
    say,
  });
  const guard = filesGuard(checkpoints, workshop, say);
  const surroundings = {
    folder: await Sandbox.open(folder),
    notesDirectory: join(run, "notes"),
    workshop,
    guard,
  };
  const agent: Agent = new Agent({
    model: scriptedModel({ seed: 1, latencyMs: { min: 0, max: 0 } }),
    mailbox: new Mailbox(mail),
    tools: toolbox({ ...surroundings, state: () => agent.state }),
  });
  return { agent, checkpoints, keepLesson, workshop, lines };
}

describe("the agent's checkpoints", () => {
  it("keep what a rollback taught, so that a crash right after it does not lead into the loop again", async () => {
    const run = await scratch();
    const folder = await scratch({ "a.md": "gamma\n".repeat(20), "b.md": "Store\n".repeat(20) });
    const mail = await scratch({ "1": 'Find "misGammaStore"' });
    const first = await life(run, folder, mail);
    await first.checkpoints.recover();
    await first.agent.hasWork();
    await superviseLoop(
      first.checkpoints,
      async (step) => {
        await first.keepLesson();
        if (first.agent.state.lessons.length > 0) return step.stop();
        const { tool, action, observation, outcome } = await first.agent.step();
        step.observe({ tool, action, observation, outcome });
      },
      { maxSteps: 30, handleSignals: false, everyStep: true },
    );
    const told = first.lines.map((line) => line.type);
    expect(told.indexOf("drift")).toBeLessThan(told.indexOf("restored"));
    expect(first.lines.find((line) => line.type === "ack" && line.name === "lesson")).toBeDefined();
    await first.checkpoints.close();

    const second = await life(run, folder, mail);
    await second.checkpoints.recover();
    expect(second.agent.state.lessons).toHaveLength(1);
    expect(second.agent.state.lessons[0]).toContain("misGammaStore");
    expect((await second.agent.step()).action).toContain('search {"text":"Gamma"');
    await second.checkpoints.close();
  });

  it("put the files back with the state when a guarded edit fails, and say what was on disk", async () => {
    const run = await scratch();
    const edits = [
      { path: "a.md", find: "one", replace: "1" },
      { path: "a.md", find: "three", replace: "3" },
    ];
    const mail = await scratch({ "1": `Apply this edit plan: ${JSON.stringify({ edits })}` });
    const { agent, checkpoints, workshop, lines } = await life(
      run,
      await scratch({ "a.md": "one two" }),
      mail,
    );
    await checkpoints.recover();
    await agent.hasWork();
    await agent.step();
    expect(await workshop.read("a.md")).toBe("one two");
    const failed = await agent.step();
    expect(failed).toMatchObject({
      outcome: "error",
      error: expect.stringContaining("Nothing of it was kept."),
    });
    expect(await workshop.read("a.md")).toBe("one two");
    expect(agent.state.drafts.get("a.md")).toBe("one two");
    expect(lines.find((line) => line.type === "guard")).toMatchObject({
      outcome: "undone",
      detail: "it failed with a.md changed; now all files on disk are as before",
    });
    await checkpoints.close();
  });

  it("undo at the next start what was under guard when the process died", async () => {
    const run = await scratch();
    const mail = await scratch();
    const folder = await scratch();
    const first = await life(run, folder, mail);
    await first.checkpoints.recover();
    first.agent.state.drafts.set("a.md", "before");
    await first.workshop.follow(first.agent.state.drafts);
    // The operation never ends: its process "dies" when the manager is closed under it.
    void first.checkpoints
      .guard("apply-edits", async () => {
        await first.workshop.write("a.md", "halfway");
        await new Promise(() => {});
      })
      .catch(() => {});
    await expect.poll(() => first.workshop.read("a.md")).toBe("halfway");
    await first.checkpoints.close();

    const second = await life(run, folder, mail);
    const report = await second.checkpoints.recover();
    expect(report.unfinishedGuards).toEqual([]);
    expect(await second.workshop.read("a.md")).toBe("before");
    expect(second.agent.state.drafts.get("a.md")).toBe("before");
    await second.checkpoints.close();
  });
});
