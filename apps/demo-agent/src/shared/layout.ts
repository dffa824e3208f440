import { join } from "node:path";

/** The agent's id in the store. */
export const AGENT_ID = "demo-agent";

/** Every path of a run, by its directory. */
export const layout = (directory: string) => ({
  directory,
  /** What the run was started with; also the mark that the directory is a run. */
  record: join(directory, "run.json"),
  checkpoints: join(directory, "checkpoints"),
  mailbox: join(directory, "mailbox"),
  notes: join(directory, "notes"),
  workshop: join(directory, "working-copy"),
  report: join(directory, "report.md"),
  summary: join(directory, "summary.json"),
});
export type Layout = ReturnType<typeof layout>;
