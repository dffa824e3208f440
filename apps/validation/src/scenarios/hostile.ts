import { spawn } from "node:child_process";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { FORGERIES, forge } from "../hostile/forged.js";
import { hostileIds } from "../hostile/ids.js";
import { looseUmask, plantedLinks } from "../hostile/links.js";
import type { ReaderAnswer } from "../hostile/reader.js";
import type { HostileResult } from "../hostile/verdict.js";
import { remembered } from "../process/drivers.js";
import { type Context, outcome, type Scenario } from "../scenario.js";

/** The most memory, in MiB, that reading made-up bytes may take on top of an idle process. */
const MOST_GROWTH_MB = 400;
const PATIENCE_MS = 60_000;

/** Asks one fresh process about directories, one after another; what it does not answer, it died of. */
function ask(reader: string, directories: readonly string[]): Promise<(ReaderAnswer | string)[]> {
  return new Promise((resolve) => {
    const child = remembered(spawn(process.execPath, [reader], { stdio: ["pipe", "pipe", "pipe"] }));
    const answers: (ReaderAnswer | string)[] = [];
    let errors = "";
    createInterface({ input: child.stdout }).on("line", (line) => {
      answers.push(JSON.parse(line) as ReaderAnswer);
    });
    child.stderr.on("data", (chunk: Buffer) => {
      errors = `${errors}${chunk.toString()}`.slice(0, 1000);
    });
    const timer = setTimeout(() => child.kill("SIGKILL"), PATIENCE_MS);
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      while (answers.length < directories.length)
        answers.push(`the process ended with ${code ?? signal}: ${errors}`);
      resolve(answers);
    });
    child.stdin.end(`${directories.join("\n")}\n`);
  });
}

async function forgeries(context: Context): Promise<{ results: HostileResult[]; growthMb: number }> {
  const reader = join(dirname(context.driver), "hostile-reader.js");
  const [idle] = await ask(reader, [join(await context.directory(), "empty")]);
  if (typeof idle !== "object") throw new Error(idle);
  const results: HostileResult[] = [];
  let growthMb = 0;
  // A process for each, so that the memory of one is not that of another; in the short form one for all.
  const together = context.short ? FORGERIES.length : 1;
  for (let at = 0; at < FORGERIES.length; at += together) {
    const batch = FORGERIES.slice(at, at + together);
    context.progress(batch[0]?.name ?? "");
    const directories: string[] = [];
    for (const forgery of batch) {
      const directory = join(await context.directory(), "store");
      await forge(directory, forgery);
      directories.push(directory);
    }
    for (const [i, answer] of (await ask(reader, directories)).entries()) {
      let failure = typeof answer === "string" ? answer : answer.failure;
      if (typeof answer !== "string") {
        const growth = answer.rssMb - idle.rssMb;
        growthMb = Math.max(growthMb, growth);
        if (growth > MOST_GROWTH_MB) failure ??= `memory grew by ${growth} MiB`;
      }
      results.push({ input: batch[i]?.name ?? "", failure });
    }
  }
  return { results, growthMb };
}

export const hostile: Scenario = {
  name: "hostile",
  does: "ids and names that climb, collide or pollute; links planted at every path; made-up bytes with right checksums; a loose umask.",
  proves:
    "nothing leaves the store's directory, no prototype is changed, memory is bounded, and every refusal is a typed error.",
  async run(context) {
    const made = () => context.directory();
    context.progress("ids");
    const results: HostileResult[] = await hostileIds(made);
    context.progress("planted links");
    results.push(...(await plantedLinks(made, context.short)), ...(await looseUmask(made)));
    const forged = await forgeries(context);
    results.push(...forged.results);
    const failures = results.flatMap(({ input, failure }) =>
      failure === undefined ? [] : [`${input}: ${failure}`],
    );
    return outcome({ hostileInputs: results.length }, failures, {
      notes: [`memory grew by at most ${forged.growthMb} MiB`],
    });
  },
};
