import { type ChildProcess, fork } from "node:child_process";
import { availableParallelism } from "node:os";
import { remembered } from "../process/drivers.js";
import type { ExplorerMessage } from "./explorer.js";
import { type ExplorationReport, type ExplorationTask, nameOf } from "./task.js";

const MAX_STDERR = 4_000;

export interface PoolOptions {
  /** Path of the built explorer. */
  readonly explorer: string;
  /** Name of the store, or path of a module that opens one. */
  readonly store: string;
  progress(text: string): void;
}

/** Does tasks in as many processes as there are cores; rejects with the first that fails, and with what a process that died has printed. */
export async function exploreAll(
  tasks: readonly ExplorationTask[],
  options: PoolOptions,
): Promise<ExplorationReport[]> {
  const reports: ExplorationReport[] = new Array(tasks.length);
  const waiting = [...tasks.entries()];
  let ended = 0;
  const work = async () => {
    const explorer = new Explorer(options);
    try {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        const [i, task] = next;
        reports[i] = await explorer.run(task, (done, total) =>
          options.progress(`${ended}/${tasks.length} parts, ${nameOf(task)}: ${done}/${total}`),
        );
        ended += 1;
      }
    } catch (error) {
      waiting.length = 0;
      throw error;
    } finally {
      explorer.end();
    }
  };
  await Promise.all(Array.from({ length: Math.min(availableParallelism(), tasks.length) }, work));
  return reports;
}

class Explorer {
  readonly #child: ChildProcess;
  #stderr = "";

  constructor({ explorer, store }: PoolOptions) {
    this.#child = remembered(
      fork(explorer, [store], { execArgv: [], stdio: ["ignore", "inherit", "pipe", "ipc"] }),
    );
    this.#child.stderr?.on("data", (chunk: Buffer) => {
      this.#stderr = (this.#stderr + chunk.toString()).slice(-MAX_STDERR);
    });
  }

  run(task: ExplorationTask, onProgress: (done: number, total: number) => void): Promise<ExplorationReport> {
    const child = this.#child;
    const { promise, resolve, reject } = deferred<ExplorationReport>();
    const failed = (why: string) => reject(new Error(`${task.kind}, ${nameOf(task)}: ${why}`));
    const onMessage = (message: ExplorerMessage) => {
      if ("progress" in message) onProgress(...message.progress);
      else if ("report" in message) resolve(message.report);
      else failed(message.error);
    };
    const onClose = (code: number | null, signal: NodeJS.Signals | null) =>
      failed(`its process ended with ${code ?? signal}\n${this.#stderr}`);
    child.on("message", onMessage).on("close", onClose);
    child.send(task, (error) => {
      if (error !== null) failed(`it could not be sent to its process: ${error.message}\n${this.#stderr}`);
    });
    return promise.finally(() => child.off("message", onMessage).off("close", onClose));
  }

  end(): void {
    this.#child.kill("SIGKILL");
  }
}

/** `Promise.withResolvers`, which Node 20 has not. */
function deferred<T>() {
  let resolve!: (value: T) => void;
  let reject!: (error: Error) => void;
  const promise = new Promise<T>((...given) => {
    [resolve, reject] = given;
  });
  return { promise, resolve, reject };
}
