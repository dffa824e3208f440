/**
 * A write reports a failure although it was done, and there is no space for a fresh segment: the batch is rejected, and its numbers are used
 * again once there is space. The process dies before the hint of the failed segment is written.
 */
import { checkLedger, Ledger } from "@ckpt/conformance/explore";
import { FaultPlan, FaultyFileSystem } from "@ckpt/conformance/faulty-fs";
import { isCkptError } from "@ckpt/errors";
import { type Bench, type Instrument, put } from "../bench.js";
import { filesBelow } from "./disk-files.js";

/** Runs with the fault at operation `at`; the number of saves that were rejected. */
async function run(bench: Bench, disk: FaultyFileSystem, ledger: Ledger, faults: FaultPlan): Promise<number> {
  const fs = disk.process(faults);
  let rejected = 0;
  try {
    const store = ledger.watch(await bench.open(fs));
    await store.acquire("a");
    for (let n = 1; n <= 8; n++) {
      await store.commit([put("a", n)]).catch((error: unknown) => {
        if (!isCkptError(error)) throw error;
        rejected += 1;
        faults.heal();
      });
    }
  } catch (error) {
    if (!isCkptError(error)) throw error;
  }
  fs.killProcess();
  return rejected;
}

export const rejected: Instrument = async (bench) => {
  let seen = 0;
  for (let at = 1; at <= 150; at++) {
    const disk = new FaultyFileSystem();
    const ledger = new Ledger();
    const faults = new FaultPlan()
      .failAt(at, { errno: "EIO", afterDoing: true, only: ["write"] })
      .failAt(at + 1, { errno: "ENOSPC", mode: "forever", only: ["create"] });
    seen += await run(bench, disk, ledger, faults);
    for (const path of (await filesBelow(disk, "/")).keys())
      if (path.endsWith(".hint")) await disk.unlink(path);
    const store = await bench.open(disk.process());
    const [breach] = await checkLedger(store, ledger, ledger.moment, `the write from operation ${at} on`);
    if (breach !== undefined) return `${breach.kind}: ${breach.message} (${breach.where})`;
    await store.close();
  }
  return seen > 0 ? undefined : "no save was ever rejected: this tests nothing";
};
