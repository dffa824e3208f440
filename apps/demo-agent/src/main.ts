import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { isCkptError } from "@ckpt/errors";
import { runDemo } from "./parent/demo.js";
import { HELP, readFlags } from "./parent/flags.js";
import { StatusLine } from "./parent/status-line.js";
import { keptItsPromise, printSummary } from "./parent/summary.js";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const REPOSITORY = join(HERE, "..", "..", "..");

async function main(args: readonly string[]): Promise<number> {
  const flags = readFlags(args);
  if (flags.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const interruption = new AbortController();
  let resume = "";
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      // Said at once: what started this process may not wait for its last words.
      if (!interruption.signal.aborted)
        process.stderr.write(`\nStopping: a final checkpoint is made.${goOn(resume)}`);
      interruption.abort();
    });
  }
  const { summary, paths } = await runDemo({
    flags,
    defaults: { runsDirectory: join(process.cwd(), ".ckpt", "demo"), folder: REPOSITORY, seed: 7, kills: 5 },
    program: join(HERE, "agent-process.js"),
    line: new StatusLine(process.stderr, flags.json ? process.stderr : process.stdout),
    signal: interruption.signal,
    latencyMs: { min: 20, max: 60 },
    env: process.env,
    onOpened: ({ directory }) => {
      resume = `node ${shown(process.argv[1]!)} --resume --store ${shown(directory)}`;
    },
  });
  process.stdout.write(flags.json ? `${JSON.stringify(summary)}\n` : printSummary(summary, paths, resume));
  if (summary.ended !== "finished") {
    process.stderr.write(`\nStopped after ${summary.steps} steps.${goOn(resume)}`);
  }
  if (!keptItsPromise(summary)) return 1;
  return summary.ended === "stopped" ? 130 : 0;
}

const goOn = (resume: string): string => (resume === "" ? "\n" : ` To go on:\n  ${resume}\n`);

/** A path as a person would type it here. */
function shown(path: string): string {
  const near = relative(process.cwd(), path);
  const short = near !== "" && near.length < path.length ? near : path;
  return /^[\w./@:+-]+$/.test(short) ? short : `'${short.replaceAll("'", `'\\''`)}'`;
}

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    process.stderr.write(
      `${isCkptError(error) ? error.toString() : error instanceof Error ? error.stack : String(error)}\n`,
    );
    process.exitCode = isCkptError(error, "CKPT_INVALID_ARGUMENT") ? 2 : 1;
  },
);
