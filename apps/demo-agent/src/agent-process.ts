import { isCkptError } from "@ckpt/errors";
import { runAgent } from "./agent/run.js";
import { type Line, Orders } from "./shared/protocol.js";

// Two interrupts may come for one Ctrl-C, from the terminal and from the parent: both mean the same end.
const ending = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => ending.abort());
// The parent never writes here: an end of stdin is the end of the parent, and the agent does not outlive it.
process.stdin.resume().on("end", () => ending.abort());
process.stdout.on("error", () => ending.abort());

const say = (line: Line): void => {
  process.stdout.write(`${JSON.stringify(line)}\n`);
};

async function main(): Promise<void> {
  try {
    const orders = Orders.parse(JSON.parse(process.argv[2] ?? "null"));
    await runAgent(orders, process.env, say, ending.signal);
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? `: ${error.cause.message}` : "";
    const message = `${error instanceof Error ? error.message : String(error)}${cause}`;
    const { code, hint } = isCkptError(error) ? error : { code: "CKPT_IO", hint: undefined };
    say({ type: "failed", code, message, ...(hint === undefined ? {} : { hint }) });
    process.exitCode = 1;
  } finally {
    process.stdin.destroy();
  }
}

await main();
