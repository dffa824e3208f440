import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DiskStore } from "@ckpt/disk";
import { describe, expect, it } from "vitest";
import { AgentState } from "../src/agent/state.js";
import type { Summary } from "../src/parent/summary.js";
import { AGENT_ID } from "../src/shared/layout.js";
import { chatServer } from "./chat-server.js";
import { run, start } from "./program.js";
import { scratch } from "./scratch.js";

const text = (name: string) =>
  `# ${name}\n\nThe store keeps ${name}. A second line about ${name}Store.\n`.repeat(30);
const folderFiles = {
  "alpha.md": text("alpha"),
  "beta.md": text("beta"),
  "gamma/delta.md": text("delta"),
  "gamma.md": text("Gamma"),
};
const plan = {
  edits: [
    { path: "alpha.md", find: "# alpha", replace: "# Alpha" },
    { path: "beta.md", find: "no such line", replace: "" },
  ],
};
const mail = {
  "1.txt": "Outline alpha.md",
  "2.txt": `Apply this edit plan in the working copy: ${JSON.stringify(plan)}`,
  "3.txt": 'Count "alpha" in .',
  "4.txt": 'Find "deltaStore"',
};

/** The state that the store brings back, read by this process, which is none of the demo's. */
async function stateIn(store: string): Promise<AgentState> {
  const disk = new DiskStore(join(store, "checkpoints"));
  try {
    const { headId } = (await disk.agent(AGENT_ID))!;
    return AgentState.parse((await disk.load(AGENT_ID, headId!)).toValue());
  } finally {
    await disk.close();
  }
}

async function place() {
  const store = join(await scratch(), "run");
  const mailbox = await scratch(mail);
  return {
    store,
    mailbox,
    args: ["--folder", await scratch(folderFiles), "--mailbox", mailbox, "--store", store],
  };
}

describe("the demo, as built", () => {
  it("is killed three times, loses no acknowledged step and does no finished task twice", async () => {
    const { store, args } = await place();
    const { code, stdout, stderr } = await run([...args, "--kills", "3", "--seed", "11", "--json"]);
    expect(stderr).toContain("KILL     SIGKILL to process");
    const summary = JSON.parse(stdout) as Summary;
    expect(summary).toMatchObject({
      ended: "finished",
      kills: 3,
      lostAcknowledgedSteps: 0,
      repeatedTasks: 0,
      tasksDone: 4,
      tasksWaiting: 0,
      guardsUndone: 1,
    });
    expect(summary.verified).toBe(summary.acknowledged);
    expect(code).toBe(0);
    const state = await stateIn(store);
    expect([...state.findings.values()].map((finding) => finding.request.split(" ", 1)[0])).toEqual([
      "Outline",
      "Apply",
      "Count",
      "Find",
    ]);
    expect(await readFile(join(store, "working-copy", "alpha.md"), "utf8")).toMatch(/^# Alpha/);
    expect(await readFile(join(store, "report.md"), "utf8")).toContain("Applied 1 of 2 edits.");
    expect(await readdir(join(store, "notes"))).toContain("outline-of-alpha-md.md");
  });

  it("falls into a loop, is rolled back to before it, and goes on differently", async () => {
    const letters = {
      "1": "Outline alpha.md",
      "2": "Outline beta.md",
      "3": 'Find "misGammaStore"',
      "4": 'Find "alpha"',
    };
    const store = join(await scratch(), "run");
    const args = [
      "--folder",
      await scratch(folderFiles),
      "--mailbox",
      await scratch(letters),
      "--store",
      store,
    ];
    const { code, stdout, stderr } = await run([...args, "--kills", "0", "--json"]);
    expect(JSON.parse(stdout)).toMatchObject({
      driftEpisodes: 1,
      rollbacks: 1,
      tasksDone: 4,
      lostAcknowledgedSteps: 0,
    });
    expect(code).toBe(0);
    expect(stderr).toMatch(/DRIFT .*\n.*evidence: (?:stall|cycle): /);
    expect(stderr).toMatch(
      /ROLLBACK drift: from step \d+ back to step \d+ .*\n.*differently: search \{"text":"Gamma"/,
    );
    const state = await stateIn(store);
    expect(state.counters.rollbacks).toBe(1);
    expect([...state.findings.values()][2]?.summary).toContain(
      '"misGammaStore" is nowhere; searched for "Gamma"',
    );
    // The loop is not in the conversation any more: one round at most is left of it.
    const searches =
      JSON.stringify(state.conversation).split('"text":"misGammaStore","matches":0').length - 1;
    expect(searches).toBeLessThanOrEqual(1);
  });

  it("writes nothing into a mailbox that was given, and refuses one without tasks or that is not there", async () => {
    const empty = await scratch();
    const place = await scratch();
    for (const mailbox of [empty, join(empty, "missing")]) {
      const { code, stderr } = await run(["--mailbox", mailbox, "--store", join(place, "run")]);
      expect(code).toBe(2);
      expect(stderr).toContain(mailbox);
    }
    expect(await readdir(empty)).toEqual([]);
    // No run was begun: the same command works once there are tasks.
    expect(await readdir(place)).toEqual([]);
  });

  it.skipIf(process.platform !== "linux")("ends where no store can be made", async () => {
    const { code, stderr } = await run(["--store", "/proc/ckpt-demo/run"]);
    expect(code).toBe(1);
    expect(stderr).toContain("/proc/ckpt-demo");
  });

  it("leaves a final checkpoint on Ctrl-C, and the command that it prints goes on to the end", async () => {
    const { store, mailbox, args } = await place();
    const first = start([...args, "--kills", "0"]);
    await first.seen("GUARD");
    first.interrupt();
    const stopped = await first.ended;
    expect(stopped.code).toBe(130);
    const command = /node (\S+main\.js) (--resume --store \S+)/.exec(stopped.stderr);
    expect(command?.[2]).toContain(store.split("/").at(-1));
    const before = await stateIn(store);
    expect(before.findings.size).toBeLessThan(4);

    await writeFile(join(mailbox, "5.txt"), "Outline beta.md");
    const second = await run([...command![2]!.split(" "), "--kills", "1", "--json"]);
    expect(JSON.parse(second.stdout)).toMatchObject({
      ended: "finished",
      lostAcknowledgedSteps: 0,
      tasksDone: 5,
    });
    const after = await stateIn(store);
    expect(after.conversation.slice(0, before.conversation.length)).toEqual(before.conversation);
  });

  it("stops after --steps and says so", async () => {
    const { store, args } = await place();
    const { code, stdout, stderr } = await run([...args, "--kills", "0", "--steps", "5"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/lost +0 acknowledged steps/);
    expect(stderr).toContain("To go on:");
    expect((await stateIn(store)).step).toBe(5);
  });

  it("works with a model behind an endpoint, and is killed just the same", async () => {
    const { url } = await chatServer(({ messages }) =>
      messages.at(-1)?.role === "tool"
        ? { call: "finish_task", input: { summary: "The endpoint says: done." } }
        : { call: "list_files", input: { path: "." } },
    );
    const { store, args } = await place();
    const env = { CKPT_MODEL_URL: url, CKPT_MODEL_NAME: "tiny" };
    const { stdout } = await run([...args, "--kills", "1", "--json"], env);
    expect(JSON.parse(stdout)).toMatchObject({ ended: "finished", tasksDone: 4, lostAcknowledgedSteps: 0 });
    const summaries = [...(await stateIn(store)).findings.values()].map((finding) => finding.summary);
    expect(new Set(summaries)).toEqual(new Set(["The endpoint says: done."]));
  });

  it("says what is wrong with an endpoint that refuses, and keeps its state", async () => {
    const { url } = await chatServer(() => ({ status: 401, body: '{"error":{"message":"no such key"}}' }));
    const { store, args } = await place();
    const { code, stderr } = await run([...args, "--kills", "0"], {
      CKPT_MODEL_URL: url,
      CKPT_MODEL_NAME: "tiny",
    });
    expect(code).toBe(1);
    expect(stderr).toContain("CKPT_LOOP_FAILED");
    expect(stderr).toContain("no such key");
    expect((await stateIn(store)).current?.text).toBe("Outline alpha.md");
  });

  it("refuses wrong arguments before it makes anything", async () => {
    const { store, args } = await place();
    expect(await run([...args, "--kills", "many"])).toMatchObject({ code: 2, stdout: "" });
    const endpoint = await run(args, { CKPT_MODEL_URL: "nonsense" });
    expect(endpoint).toMatchObject({ code: 2, stderr: expect.stringContaining("CKPT_MODEL_URL") });
    const folder = await run([...args, "--folder", "/no-such-folder"]);
    expect(folder).toMatchObject({ code: 2, stderr: expect.stringContaining("/no-such-folder") });
    await expect(readdir(store)).rejects.toMatchObject({ code: "ENOENT" });
    expect(await run(["--help"])).toMatchObject({ code: 0, stdout: expect.stringContaining("--folder DIR") });
  });
});
