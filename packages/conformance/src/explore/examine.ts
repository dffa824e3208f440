import { type CheckpointStore, snapshot } from "@ckpt/core";
import type { DiskImage } from "../faulty-fs/disk-image.js";
import { FaultyFileSystem } from "../faulty-fs/faulty-file-system.js";
import { type Breach, checkLedger } from "./check-ledger.js";
import type { Ledger } from "./ledger.js";
import { describeError } from "./run-workload.js";

export interface ExamineOptions {
  open(fs: FaultyFileSystem): Promise<CheckpointStore>;
  /** A check of one's own, after the ledger's; what it returns is reported as `wrong`. */
  check?(store: CheckpointStore): Promise<readonly string[]>;
  /** Whether to save once more in every agent after the check, cut the power, and look for it. Default true. */
  readonly goOn?: boolean;
  /** The exploration ends early when so many breaches were found. Default 100. */
  readonly maxBreaches?: number;
}

/** Whether so many breaches were found that more would tell nothing new. */
export function isEnough(breaches: readonly Breach[], { maxBreaches = 100 }: ExamineOptions): boolean {
  return breaches.length >= maxBreaches;
}

async function saveOnce(store: CheckpointStore, ledger: Ledger): Promise<void> {
  const watched = ledger.watch(store);
  for (const agentId of await store.agents()) {
    const state = await store.agent(agentId);
    const sequence = (state?.lastSequence ?? 0) + 1;
    const lease = await store.acquire(agentId);
    const header = {
      id: `${agentId}:after-${sequence}`,
      agentId,
      sequence,
      name: "routine",
      timestamp: new Date(1_800_000_000_000).toISOString(),
      parentId: state?.headId ?? null,
      metadata: {},
      schemaVersion: null,
    };
    await watched.commit([{ op: "put", header, snapshot: snapshot({ after: sequence }) }]);
    await lease.release();
  }
}

/** Opens the store on a disk as a fresh start finds it, holds it against the ledger, and goes on working with it. */
export async function examineDisk(
  fs: FaultyFileSystem,
  ledger: Ledger,
  moment: number,
  options: ExamineOptions,
  where: string,
): Promise<Breach[]> {
  const breaches: Breach[] = [];
  let stage: Breach["kind"] = "unopenable";
  try {
    const store = await options.open(fs);
    // Some stores open with their first call.
    await store.agents();
    stage = "stuck";
    try {
      breaches.push(...(await checkLedger(store, ledger, moment, where)));
      for (const message of (await options.check?.(store)) ?? [])
        breaches.push({ kind: "wrong", message, where });
      if (options.goOn === false || breaches.length > 0) return breaches;
      const later = ledger.at(moment);
      await saveOnce(store, later);
      const after = fs.powerCut({ mode: "strict" });
      const again = await options.open(after);
      breaches.push(
        ...(await checkLedger(again, later, later.moment, `${where}, then a save and a strict cut`)),
      );
      await again.close();
    } finally {
      await store.close();
    }
  } catch (error) {
    breaches.push({ kind: stage, message: describeError(error), where });
  }
  return breaches;
}

/** The same for the durable part of an image. */
export function examineImage(
  image: DiskImage,
  ledger: Ledger,
  moment: number,
  options: ExamineOptions & { readonly locks?: boolean },
  where: string,
): Promise<Breach[]> {
  const { locks = true } = options;
  return examineDisk(new FaultyFileSystem({ image, locks }), ledger, moment, options, where);
}
