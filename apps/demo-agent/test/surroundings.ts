import { join } from "node:path";
import type { LanguageModel } from "ai";
import { Agent, type StepReport } from "../src/agent/agent.js";
import { Mailbox } from "../src/agent/mailbox.js";
import { Workshop } from "../src/agent/workshop.js";
import type { Guard } from "../src/tools/apply-edits.js";
import { Sandbox } from "../src/tools/sandbox.js";
import { toolbox } from "../src/tools/toolbox.js";
import { scratch } from "./scratch.js";

/** An agent on a folder and a mailbox of its own, without any checkpoints. */
export async function lonelyAgent(
  model: LanguageModel,
  folderFiles: Readonly<Record<string, string>>,
  mail: Readonly<Record<string, string>>,
  guard: Guard = (_operation, fn) => fn(),
) {
  const folder = await Sandbox.open(await scratch(folderFiles));
  const notesDirectory = await scratch();
  const workshop = new Workshop(join(await scratch(), "working-copy"));
  const mailbox = new Mailbox(await scratch(mail));
  const tools = toolbox({ folder, notesDirectory, workshop, state: () => agent.state, guard });
  const agent: Agent = new Agent({ model, mailbox, tools });
  return { agent, mailbox, notesDirectory, workshop };
}

/** Steps until there is no work, or `limit` steps were taken. */
export async function runToEnd(agent: Agent, limit = 60): Promise<StepReport[]> {
  const reports: StepReport[] = [];
  while (reports.length < limit && (await agent.hasWork())) reports.push(await agent.step());
  return reports;
}
