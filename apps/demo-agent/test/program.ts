import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The built program. `npm test` builds before it tests; alone, build first: `pnpm --filter @ckpt/demo-agent... build`. */
export const program = fileURLToPath(new URL("../dist/main.js", import.meta.url));

export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A running demo: `ended` when it is over; `seen` when a text has come out on either stream. */
export interface Running {
  readonly ended: Promise<Outcome>;
  seen(text: string): Promise<void>;
  interrupt(): void;
}

/** Starts the demo as a user would. */
export function start(args: readonly string[], env: Readonly<Record<string, string>> = {}): Running {
  if (!existsSync(program)) {
    throw new Error(
      `${program} is not there: this test runs the built demo. Build it first (npm test does).`,
    );
  }
  const { CKPT_MODEL_URL: _url, ...inherited } = process.env;
  const child = spawn(process.execPath, [program, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...inherited, ...env },
  });
  const output = { stdout: "", stderr: "" };
  const watchers = new Set<() => void>();
  for (const stream of ["stdout", "stderr"] as const) {
    child[stream].setEncoding("utf8").on("data", (text: string) => {
      output[stream] += text;
      for (const watcher of watchers) watcher();
    });
  }
  const ended = new Promise<Outcome>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, ...output }));
  });
  const seen = (text: string) =>
    new Promise<void>((resolve, reject) => {
      const look = () => {
        if (!(output.stdout + output.stderr).includes(text)) return;
        watchers.delete(look);
        resolve();
      };
      watchers.add(look);
      look();
      void ended.then(() => reject(new Error(`the demo ended without saying ${JSON.stringify(text)}`)));
    });
  return { ended, seen, interrupt: () => void child.kill("SIGINT") };
}

/** Runs the demo to its end. */
export const run = (args: readonly string[], env?: Readonly<Record<string, string>>): Promise<Outcome> =>
  start(args, env).ended;
