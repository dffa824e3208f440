import { type ChildProcessByStdio, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import type { Told } from "../tender/main.js";
import { remembered, type Worker } from "./drivers.js";

/** What a tender said. */
export interface TenderLog {
  readonly failures: string[];
  done: number;
  refused: number;
}

/** Starts a process that maintains the store in `directory`; one in `every` of its calls fails (0: none). */
export function startTender(
  tender: string,
  directory: string,
  seed: number,
  every: number,
): { worker: Worker; log: TenderLog } {
  const child = remembered(
    spawn(process.execPath, [tender, directory, String(seed), String(every)], {
      stdio: ["ignore", "pipe", "pipe"],
    }) as ChildProcessByStdio<null, Readable, Readable>,
  );
  const log: TenderLog = { failures: [], done: 0, refused: 0 };
  const who = every === 0 ? "tender" : "tender on a failing file system";
  createInterface({ input: child.stdout }).on("line", (line) => {
    const { task, code, strange, lostIds } = JSON.parse(line) as Told;
    if (code === "ok") log.done += 1;
    else log.refused += 1;
    if (strange !== undefined) log.failures.push(`${who}: ${task} failed with ${strange}`);
    if (lostIds.length > 0)
      log.failures.push(`${who}: ${task} called ${lostIds.length} checkpoints lost, ${lostIds[0]} first`);
  });
  createInterface({ input: child.stderr }).on("line", (line) => log.failures.push(`${who} printed: ${line}`));
  const ended = new Promise<number | NodeJS.Signals>((resolve) =>
    child.on("close", (code, signal) => {
      if (signal !== "SIGKILL") log.failures.push(`${who} ended with ${code ?? signal}`);
      resolve(code ?? (signal as NodeJS.Signals));
    }),
  );
  return { worker: { pid: child.pid as number, kill: (signal) => child.kill(signal), ended }, log };
}
