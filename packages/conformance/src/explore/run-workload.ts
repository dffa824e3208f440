import { type CheckpointStore, isCkptError } from "@ckpt/core";
import type { FaultyFileSystem } from "../faulty-fs/faulty-file-system.js";
import { SeededRandom } from "../faulty-fs/random.js";
import type { Breach } from "./check-ledger.js";
import type { Ledger } from "./ledger.js";

/** What a workload works with. */
export interface WorkloadContext {
  /** Opens the store on the faulty file system, every commit recorded. What it leaves open is closed for it. */
  open(): Promise<CheckpointStore>;
  readonly fs: FaultyFileSystem;
  /** The same numbers on every run. */
  readonly random: SeededRandom;
  /**
   * Does something that a fault may make fail, and goes on: resolves to undefined after a typed error. Other errors are breaches.
   */
  attempt<T>(work: () => Promise<T>): Promise<T | undefined>;
}

/** A piece of a program's life: opens a store, saves, removes, compacts. It is run many times, and should take few milliseconds. */
export type Workload = (context: WorkloadContext) => Promise<void>;

export interface RunOptions {
  readonly workload: Workload;
  /** Opens the store under test on this file system, as a fresh process start would. */
  open(fs: FaultyFileSystem): Promise<CheckpointStore>;
  /** Default 1. */
  readonly seed?: number;
  /** After how many milliseconds without an end a run counts as hanging. Default 30,000. */
  readonly hangAfterMs?: number;
}

export interface RunOutcome {
  readonly typedErrors: number;
  readonly breaches: readonly Breach[];
}

/** Resolves to "hang" when `work` takes longer than `limitMs`. */
async function within(work: Promise<void>, limitMs: number): Promise<"done" | "hang"> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<"hang">((resolve) => {
    timer = setTimeout(() => resolve("hang"), limitMs);
  });
  try {
    return await Promise.race([work.then(() => "done" as const), limit]);
  } finally {
    clearTimeout(timer);
  }
}

/** Runs a workload once, and closes what it opened. Typed errors are counted; everything else that goes wrong is a breach. */
export async function runWorkload(
  fs: FaultyFileSystem,
  ledger: Ledger,
  options: RunOptions,
  where: string,
): Promise<RunOutcome> {
  const breaches: Breach[] = [];
  let typedErrors = 0;
  const failed = (error: unknown) => {
    if (isCkptError(error)) typedErrors++;
    else breaches.push({ kind: "untyped", message: describeError(error), where });
  };
  const attempt = async <T>(work: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await work();
    } catch (error) {
      failed(error);
      return undefined;
    }
  };
  const stores: CheckpointStore[] = [];
  const open = async () => {
    const store = await options.open(fs);
    stores.push(store);
    return ledger.watch(store);
  };
  const unhandled = (error: unknown) => {
    breaches.push({ kind: "untyped", message: `Unhandled: ${describeError(error)}`, where });
  };
  process.on("unhandledRejection", unhandled);
  try {
    const whole = async () => {
      const random = new SeededRandom(options.seed ?? 1);
      await attempt(() => options.workload({ open, fs, random, attempt }));
      for (const store of stores) await attempt(() => store.close());
    };
    const end = await within(whole(), options.hangAfterMs ?? 30_000);
    if (end === "hang")
      breaches.push({ kind: "hang", message: "The workload did not come to an end.", where });
    await new Promise((resolve) => setImmediate(resolve));
  } finally {
    process.off("unhandledRejection", unhandled);
  }
  return { typedErrors, breaches };
}

export function describeError(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
