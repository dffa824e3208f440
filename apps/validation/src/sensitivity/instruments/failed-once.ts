/** A device that fails once, and a link whose answer is lost, have damaged nothing: what is there is read, and stays where it is. */
import { FaultPlan, FaultyFileSystem } from "@ckpt/conformance/faulty-fs";
import { type Bench, type Instrument, marksOf, openOn, put, remove, type Verdict } from "../bench.js";
import { filesBelow } from "./disk-files.js";
import { beforeOpening, deviceError } from "./intercepted.js";

/** Two dead writers, the second of which has compacted. */
async function closedStore(bench: Bench): Promise<FaultyFileSystem> {
  const disk = new FaultyFileSystem();
  const first = await bench.open(disk.process());
  await first.acquire("a");
  for (let n = 1; n <= 4; n++) await first.commit([put("a", n)]);
  await first.close();
  const second = await bench.open(disk.process());
  await second.acquire("b");
  for (let n = 1; n <= 4; n++) await second.commit([put("b", n)]);
  await second.commit([remove("b", "b:1")]);
  await second.compact();
  await second.commit([put("b", 5)]);
  await second.close();
  return disk;
}

/** The n-th opening of such a file fails: everything is listed and loaded all the same, and nothing is reported. */
async function reading(bench: Bench, pattern: RegExp): Promise<Verdict> {
  const disk = await closedStore(bench);
  for (let nth = 1; ; nth++) {
    let left = nth;
    const fs = beforeOpening(disk.process(), (path, { access }) => {
      if (pattern.test(path) && access === "read" && --left === 0) throw deviceError();
    });
    const store = await openOn(bench, fs);
    const marks = `${await marksOf(store, "a")}, ${await marksOf(store, "b")}`;
    if (marks !== "1 2 3 4, 2 3 4 5") return `reading ${nth} of ${pattern} failed: there are ${marks}`;
    const [finding] = store.takeFindings();
    if (finding !== undefined) return `reading ${nth} of ${pattern} failed: ${finding.message}`;
    await store.close();
    if (left > 0) return nth > 1 ? undefined : `nothing reads ${pattern}`;
  }
}

/** The same beside a repair, which leaves every file where it is. */
async function repairing(bench: Bench, pattern: RegExp): Promise<Verdict> {
  for (let nth = 1; ; nth++) {
    const disk = await closedStore(bench);
    let left = nth;
    const fs = beforeOpening(disk.process(), (path, { access }) => {
      if (pattern.test(path) && access === "read" && --left === 0) throw deviceError();
    });
    const store = await openOn(bench, fs);
    await store.repair();
    await store.close();
    const [moved] = (await filesBelow(disk, "/store/quarantine")).keys();
    if (moved !== undefined) return `reading ${nth} of ${pattern} failed: it is in ${moved}`;
    if (left > 0) return nth > 1 ? undefined : `nothing reads ${pattern}`;
  }
}

/** The n-th link was made, and an error came back. */
async function linking(bench: Bench): Promise<Verdict> {
  for (let nth = 1; ; nth++) {
    const disk = new FaultyFileSystem();
    const faults = new FaultPlan();
    let left = nth;
    const process = disk.process(faults);
    process.observe(({ kind, index }) => {
      if (kind === "link" && --left === 1)
        faults.failAt(index + 1, { errno: "EIO", only: ["link"], afterDoing: true });
    });
    if (nth === 1) faults.failAt(1, { errno: "EIO", only: ["link"], afterDoing: true });
    const store = await bench.open(process);
    await store.acquire("a");
    await store.commit([put("a", 1), put("a", 2)]);
    await store.commit([remove("a", "a:1")]);
    await store.compact();
    await store.close();
    const reader = await bench.open(disk.process());
    const marks = await marksOf(reader, "a");
    await reader.close();
    if (marks !== "2") return `link ${nth} lost its answer: there are ${marks}`;
    if (!faults.struck) return nth > 3 ? undefined : `there are only ${nth - 1} links`;
  }
}

export const failedOnce: Instrument = async (bench) => {
  const derived = /\/(heads|manifests)\/[^.]+\.json$/;
  for (const pattern of [derived, /\.seg$/]) {
    const verdict = await reading(bench, pattern);
    if (verdict !== undefined) return verdict;
  }
  return (await repairing(bench, derived)) ?? (await linking(bench));
};
