/**
 * A process that uses leases, started by the tests.
 *   hold DIR             takes the lease, prints "held EPOCH", and keeps it until it is killed
 *   race DIR ROUNDS      takes and releases it ROUNDS times against others; prints "epoch N" each time, "VIOLATION" when not alone
 *   crash DIR POINT      dies by SIGKILL at the POINT-th file operation of acquire, verify and release; prints "survived" after all
 */
import { appendFileSync, closeSync, openSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { isCkptError } from "@ckpt/errors";
import { acquireLease, type FileSystem, nodeFileSystem } from "@ckpt/io";

const [mode, directory, argument] = process.argv.slice(2);

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function hold(): Promise<void> {
  const lease = await acquireLease(directory!, { writer: "holder", subject: "agent-3" });
  say(`held ${lease.epoch}`);
  setInterval(() => undefined, 1000);
}

async function race(rounds: number): Promise<void> {
  const inside = join(directory!, "..", "inside");
  for (let won = 0; won < rounds; ) {
    try {
      const lease = await acquireLease(directory!, { writer: String(process.pid) });
      try {
        closeSync(openSync(inside, "wx"));
      } catch {
        say("VIOLATION");
      }
      appendFileSync(join(directory!, "..", "epochs"), `${lease.epoch}\n`);
      if (Math.random() < 0.3) await new Promise((resolve) => setTimeout(resolve, Math.random() * 2));
      await lease.verify();
      unlinkSync(inside);
      await lease.release();
      won++;
    } catch (error) {
      if (!isCkptError(error, "CKPT_LOCKED")) throw error;
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 4));
    }
  }
  say("done");
}

/** Kills this process before, or with `after` after, the n-th call. */
function dyingFileSystem(point: number): FileSystem {
  let calls = 0;
  const step = <R>(call: () => Promise<R>): Promise<R> => {
    if (++calls === point) process.kill(process.pid, "SIGKILL");
    return call();
  };
  const below = nodeFileSystem;
  return {
    ...below,
    open: (path, options) =>
      step(async () => {
        const handle = await below.open(path, options);
        return new Proxy(handle, {
          get: (target, key) => {
            const member: unknown = Reflect.get(target, key, target);
            if (typeof member !== "function") return member;
            return (...args: unknown[]) =>
              step(() => Reflect.apply(member, target, args) as Promise<unknown>);
          },
        });
      }),
    readdir: (path) => step(() => below.readdir(path)),
    stat: (path) => step(() => below.stat(path)),
    link: (from, to) => step(() => below.link(from, to)),
    unlink: (path) => step(() => below.unlink(path)),
    syncDirectory: (path) => step(() => below.syncDirectory(path)),
  };
}

async function crash(point: number): Promise<void> {
  const lease = await acquireLease(directory!, { fs: dyingFileSystem(point) });
  say(`epoch ${lease.epoch}`);
  await lease.release();
  say("survived");
}

const run = mode === "hold" ? hold() : mode === "race" ? race(Number(argument)) : crash(Number(argument));
run.catch((error: unknown) => {
  say(`FAILED ${String(error)}`);
  process.exitCode = 1;
});
