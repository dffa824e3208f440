import { setTimeout as sleep } from "node:timers/promises";
import { Ledger } from "@ckpt/conformance/explore";
import { FaultyFileSystem, SeededRandom } from "@ckpt/conformance/faulty-fs";
import { type Instrument, openOn, put, remove } from "../bench.js";
import { delayed } from "./delayed.js";
import { afterwards } from "./processes.js";

/** Compaction steps back for saves, and would never end beside ever more of them. */
const MOST_SAVES = 200;

/** A process saves and removes while it compacts what it has written: nothing that was acknowledged meanwhile goes with the sources. */
export const savesBeside: Instrument = async (bench) => {
  for (let seed = 1; seed <= 6; seed++) {
    const random = new SeededRandom(seed);
    const disk = new FaultyFileSystem();
    const ledger = new Ledger();
    const store = ledger.watch(await openOn(bench, delayed(disk.process(), random, 3)));
    await store.acquire("a");
    for (let n = 1; n <= 10; n++) await store.commit([put("a", n)]);
    let isDone = false;
    let n = 10;
    const save = async () => {
      for (; !isDone && n < MOST_SAVES; await sleep(1)) {
        await store.commit([put("a", ++n)]);
        if (n % 5 === 0) await store.commit([remove("a", `a:${n - 4}`)]);
      }
    };
    const compact = async () => {
      for (let turn = 0; turn < 3; turn++) await store.compact();
      isDone = true;
    };
    await Promise.all([save(), compact()]);
    await store.close();
    const verdict = await afterwards(bench, disk, ledger, { a: n });
    if (verdict !== undefined) return `seed ${seed}: ${verdict}`;
  }
  return undefined;
};
