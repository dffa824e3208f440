/** A process that explores: takes tasks from its parent, one after another, and sends back how far it is and what it found. */
import { findStore } from "../stores.js";
import { explore } from "./explore.js";
import type { ExplorationReport, ExplorationTask } from "./task.js";

export type ExplorerMessage =
  | { readonly progress: readonly [done: number, total: number] }
  | { readonly report: ExplorationReport }
  | { readonly error: string };

const PROGRESS_EVERY_MS = 500;

function send(message: ExplorerMessage): void {
  process.send?.(message);
}

const opened = findStore(process.argv[2] ?? "disk");

process.on("message", async (task: ExplorationTask) => {
  try {
    let last = 0;
    const report = await explore(task, await opened, (done, total) => {
      if (Date.now() - last < PROGRESS_EVERY_MS) return;
      last = Date.now();
      send({ progress: [done, total] });
    });
    send({ report });
  } catch (error) {
    send({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  }
});
