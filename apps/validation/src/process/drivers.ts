import { type ChildProcess, type ChildProcessByStdio, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import type { DriverLedger } from "./driver-ledger.js";

export interface Worker {
  readonly pid: number;
  kill(signal: NodeJS.Signals): void;
  /** Exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>;
}

const running = new Set<Pick<ChildProcess, "kill">>();

/** Ends every process that was started here and still runs. */
export function killAll(): void {
  for (const child of running) child.kill("SIGKILL");
}

/** Sees to it that {@link killAll} ends the child too. */
export function remembered<Child extends ChildProcess>(child: Child): Child {
  running.add(child);
  child.once("close", () => running.delete(child));
  return child;
}

/** Starts `driver.js work` and feeds its lines to the ledger. */
export function startWorker(
  driver: string,
  ledger: DriverLedger,
  args: readonly (string | number)[],
  env: NodeJS.ProcessEnv = {},
  uid?: number,
): Worker {
  const child = remembered(
    spawn(process.execPath, [driver, "work", ...args.map(String)], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, ...env },
      ...(uid === undefined ? {} : { uid, gid: uid }),
    }) as ChildProcessByStdio<null, Readable, Readable>,
  );
  createInterface({ input: child.stdout }).on("line", (line) => ledger.line(line));
  createInterface({ input: child.stderr }).on("line", (line) => ledger.errors.push(`stderr: ${line}`));
  const ended = new Promise<number | NodeJS.Signals>((resolve) =>
    child.on("close", (code, signal) => resolve(code ?? (signal as NodeJS.Signals))),
  );
  return { pid: child.pid as number, kill: (signal) => child.kill(signal), ended };
}

export type Answers = Record<string, { i: number; sha: string } | { error: string }>;

/** One `driver.js serve` process that answers many directories. */
export class Server {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #waiting: { resolve(text: string): void; reject(error: Error): void }[] = [];

  constructor(driver: string) {
    this.#child = remembered(
      spawn(process.execPath, [driver, "serve"], { stdio: ["pipe", "pipe", "inherit"] }),
    );
    createInterface({ input: this.#child.stdout }).on("line", (line) => this.#waiting.shift()?.resolve(line));
    this.#child.on("close", (code, signal) => {
      for (const { reject } of this.#waiting.splice(0))
        reject(new Error(`serve ended with ${code ?? signal}`));
    });
  }

  /** What can be restored in `directory`; throws when the store could not be opened. */
  async ask(directory: string): Promise<Answers> {
    const text = await new Promise<string>((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#child.stdin.write(`${directory}\n`);
    });
    const answer = JSON.parse(text) as Answers & { "!"?: string };
    if (typeof answer["!"] === "string") throw new Error(`the store could not be opened: ${answer["!"]}`);
    return answer;
  }

  close(): void {
    this.#child.stdin.end();
  }
}
