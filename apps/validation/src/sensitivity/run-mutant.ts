/** Runs the bundled subject in a process of its own, with a time limit. */
import { spawn } from "node:child_process";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { remembered } from "../process/drivers.js";
import { buildSubject, DoesNotApply } from "./build.js";
import type { InstrumentName } from "./instruments/index.js";
import type { Change } from "./mutant.js";
import type { Answer, Task } from "./subject.js";

export interface Caught {
  /** `caught`: an instrument found a breach, or the process crashed or hung. */
  readonly state: "caught" | "survived" | "does not apply";
  readonly by: string;
  readonly why: string;
}

const LIMIT_MS = 120_000;

function runSubject(file: string, task: Task): Promise<Answer | { readonly crash: string }> {
  return new Promise((resolve, reject) => {
    const child = remembered(
      spawn(process.execPath, [file, JSON.stringify(task)], { stdio: ["ignore", "pipe", "pipe"] }),
    );
    let [out, err, late] = ["", "", false];
    child.stdout.on("data", (chunk: Buffer) => {
      out += chunk.toString();
    });
    child.stderr.on("data", (chunk: Buffer) => {
      err = (err + chunk.toString()).slice(-2000);
    });
    const timer = setTimeout(() => {
      late = true;
      child.kill("SIGKILL");
    }, LIMIT_MS);
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      if (late) resolve({ crash: `no end after ${LIMIT_MS / 1000} s` });
      else if (code === 0 && out === "")
        resolve({ crash: "it stopped in the middle: a call never came back" });
      else if (code === 0) resolve(JSON.parse(out) as Answer);
      else if (/ReferenceError|SyntaxError/.test(err))
        reject(
          new DoesNotApply(
            err
              .trim()
              .split("\n")
              .find((l) => /Error/.test(l)) ?? err,
          ),
        );
      else resolve({ crash: `ended with ${code ?? signal}: ${err.trim().split("\n")[0] ?? ""}` });
    });
  });
}

/** Builds the subject with a change and runs it. */
export async function runChange(
  root: string,
  directory: string,
  name: string,
  change: Change,
  instruments: readonly InstrumentName[],
): Promise<Caught> {
  await mkdir(directory, { recursive: true });
  const file = join(directory, `${name.replace(/[^a-z0-9]+/gi, "-")}.cjs`);
  try {
    await buildSubject(root, change.edits ?? [], file);
    const answer = await runSubject(file, { instruments, removals: change.removals ?? [] });
    if ("crash" in answer) return { state: "caught", by: "its process", why: answer.crash };
    if (answer.instrument === undefined) return { state: "survived", by: "", why: JSON.stringify(answer.ms) };
    return { state: "caught", by: answer.instrument, why: answer.breach ?? "" };
  } catch (error) {
    if (!(error instanceof DoesNotApply)) throw error;
    return { state: "does not apply", by: "", why: error.message };
  } finally {
    await rm(file, { force: true });
  }
}
