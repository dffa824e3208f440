import type { Layout } from "../shared/layout.js";
import type { EndReason } from "./kill-loop.js";

/** The run in figures; `--json` prints it as it is. */
export interface Summary {
  readonly ended: EndReason;
  readonly model: string;
  readonly seed: number;
  readonly steps: number;
  readonly tasksDone: number;
  readonly tasksWaiting: number;
  readonly kills: number;
  readonly killsPlanned: number;
  /** Acknowledged checkpoints that were looked up in the store and read back. */
  readonly acknowledged: number;
  readonly verified: number;
  readonly lostAcknowledgedSteps: number;
  readonly lost: readonly string[];
  readonly repeatedTasks: number;
  readonly driftEpisodes: number;
  readonly rollbacks: number;
  readonly guardsUndone: number;
  readonly guardsCompleted: number;
  /** With the files of killed processes as they left them. */
  readonly bytesOnDiskBeforeCompaction: number;
  readonly bytesOnDisk: number;
  readonly wholeStateJsonBytes: number;
  readonly finalStateJsonBytes: number;
  /** All times in milliseconds. */
  readonly runMs: number;
  readonly checkpointMs: number;
  readonly medianSaveMs: number;
  readonly recoverMs: readonly number[];
  readonly reportPath: string;
  readonly storePath: string;
}

/** Whether the run kept its promise. */
export const keptItsPromise = (summary: Summary): boolean =>
  summary.lostAcknowledgedSteps === 0 && summary.repeatedTasks === 0;

export function printSummary(summary: Summary, paths: Layout, resume: string): string {
  const share = (100 * summary.checkpointMs) / Math.max(1, summary.runMs);
  const factor = summary.wholeStateJsonBytes / Math.max(1, summary.bytesOnDisk);
  const slowest = Math.max(0, ...summary.recoverMs);
  const lines: [string, string][] = [
    ["model", summary.model],
    ["steps", `${summary.steps} in ${(summary.runMs / 1000).toFixed(1)} s, ${tasks(summary)}`],
    ["kills", kills(summary, slowest)],
    [
      "lost",
      `${summary.lostAcknowledgedSteps} acknowledged steps (${summary.verified} of ${summary.acknowledged} read back and verified)`,
    ],
    ["repeated", `${summary.repeatedTasks} finished tasks done again`],
    ["drift", `${summary.driftEpisodes} noticed, ${summary.rollbacks} rolled back`],
    ["guards", `${summary.guardsUndone} failed and undone, ${summary.guardsCompleted} completed`],
    [
      "on disk",
      `${bytes(summary.bytesOnDisk)}; whole-state JSON at every save: ${bytes(summary.wholeStateJsonBytes)} (${factor.toFixed(0)}x)`,
    ],
    [
      "",
      `(${bytes(summary.bytesOnDiskBeforeCompaction)} before compaction folded the files of the processes into one)`,
    ],
    ["state", `${bytes(summary.finalStateJsonBytes)} as JSON at the end`],
    [
      "saving",
      `${summary.checkpointMs.toFixed(0)} ms in all, ${share.toFixed(1)}% of the run; median ${summary.medianSaveMs.toFixed(1)} ms a step`,
    ],
  ];
  const width = Math.max(...lines.map(([name]) => name.length));
  const table = lines.map(([name, text]) => `  ${name.padEnd(width)}  ${text}`).join("\n");
  const lost = summary.lost.map((line) => `  LOST: ${line}\n`).join("");
  return `
Summary
${table}
${lost}
Where to look next
  what the agent found   ${paths.report}
  its notes              ${paths.notes}
  every checkpoint       ${paths.checkpoints}
  these figures          ${paths.summary}
  give it more work      drop a file into ${paths.mailbox}, then
                         ${resume}
`;
}

const tasks = ({ tasksDone, tasksWaiting }: Summary): string =>
  tasksWaiting === 0 ? `all ${tasksDone} tasks done` : `${tasksDone} tasks done, ${tasksWaiting} waiting`;

const kills = ({ kills: done, killsPlanned }: Summary, slowest: number): string => {
  const missed = done < killsPlanned ? ` of ${killsPlanned} planned (the run ended before the rest)` : "";
  return `${done}${missed} by SIGKILL${done === 0 ? "" : `, slowest recovery ${slowest.toFixed(0)} ms`}`;
};

function bytes(count: number): string {
  if (count < 1_000) return `${count} B`;
  return count < 1_000_000 ? `${(count / 1_000).toFixed(1)} kB` : `${(count / 1_000_000).toFixed(1)} MB`;
}
