/** Several simulated processes on one disk: compaction beside the living, takeovers from the dead, locks that lie. */
import { setImmediate as immediately, setTimeout as sleep } from "node:timers/promises";
import { checkLedger, Ledger } from "@ckpt/conformance/explore";
import { FaultPlan, FaultyFileSystem, SeededRandom, withoutSafeguard } from "@ckpt/conformance/faulty-fs";
import { isCkptError } from "@ckpt/errors";
import { acquireLease } from "@ckpt/io";
import { type Bench, findingsOf, type Instrument, openOn, put, remove, type Verdict } from "../bench.js";
import { delayed } from "./delayed.js";

/** After all that: a fresh start, and a start after a power cut, find everything and nothing to report. */
export async function afterwards(
  bench: Bench,
  disk: FaultyFileSystem,
  ledger: Ledger,
  sequences: Readonly<Record<string, number>>,
): Promise<Verdict> {
  for (const fs of [disk.process(), disk.powerCut({ mode: "strict" })]) {
    const store = await bench.open(fs);
    const breaches = await checkLedger(store, ledger, ledger.moment, "afterwards");
    if (breaches[0] !== undefined) return `${breaches[0].kind}: ${breaches[0].message}`;
    for (const [agentId, least] of Object.entries(sequences)) {
      const last = (await store.agent(agentId))?.lastSequence ?? 0;
      if (last < least) return `${agentId} would use sequence ${last + 1} again`;
    }
    const findings = await findingsOf(store);
    if (findings[0] !== undefined) return findings[0];
    await store.close();
  }
  return undefined;
}

/** Another process compacts while one writes; agents change hands; removals of what others hold; a reader all along. */
export const beside: Instrument = async (bench) => {
  const disk = new FaultyFileSystem();
  const ledger = new Ledger();
  const [rawA, rawB, reader] = [
    await bench.open(disk.process()),
    await bench.open(disk.process()),
    await bench.open(disk.process()),
  ];
  const [a, b] = [ledger.watch(rawA), ledger.watch(rawB)];
  const leaseOfA = await a.acquire("a");
  for (let n = 1; n <= 14; n++) await a.commit([put("a", n)]);
  await b.acquire("b");
  for (let n = 1; n <= 4; n++) await b.commit([put("b", n)]);
  const listed = await reader.list("a");
  await b.compact();
  for (let n = 15; n <= 18; n++) await a.commit([put("a", n)]);
  await a.commit([remove("a", "a:2", "a:5", "a:18")]);
  await a.compact();
  for (const { id } of listed.filter(({ id }) => !["a:2", "a:5"].includes(id)))
    if ((await reader.load("a", id)).hash === "") return `${id} has no hash`;
  const living = await findingsOf(reader);
  if (living[0] !== undefined) return `beside a living writer: ${living[0]}`;
  await a.commit([put("a", 19)]);
  await leaseOfA.release();
  await b.acquire("a");
  await b.commit([remove("a", "a:19", "a:4")]);
  await b.compact();
  for (const { id } of await reader.list("a")) await reader.load("a", id);
  await b.commit([put("b", 5)]);
  await b.compact();
  await a.acquire("c");
  await a.commit([put("c", 1)]);
  await a.close();
  await b.close();
  await reader.close();
  return afterwards(bench, disk, ledger, { a: 19, b: 5, c: 1 });
};

/**
 * Two processes compact at the same time, what two others left and what they wrote themselves, with removals in it; one of them is killed.
 * Nothing that was removed comes back, and nothing is reported.
 */
export const compactors: Instrument = async (bench) => {
  for (let seed = 1; seed <= 12; seed++) {
    const random = new SeededRandom(seed);
    const disk = new FaultyFileSystem();
    const ledger = new Ledger();
    for (const agentId of ["a", "b"]) {
      const fs = disk.process();
      const store = ledger.watch(await bench.open(fs));
      await store.acquire(agentId);
      for (let n = 1; n <= 20; n++) await store.commit([put(agentId, n)]);
      await store.commit([remove(agentId, `${agentId}:2`, `${agentId}:3`)]);
      fs.killProcess();
    }
    const rivals = [disk.process(), disk.process()] as const;
    const stores = await Promise.all(
      rivals.map(async (fs, i) => ledger.watch(await openOn(bench, delayed(fs, random, i === 0 ? 2 : 8)))),
    );
    for (const [i, store] of stores.entries()) {
      await store.acquire(`own-${i}`);
      for (let n = 1; n <= 10; n++) await store.commit([put(`own-${i}`, n)]);
      await store.commit([remove(`own-${i}`, `own-${i}:1`)]);
    }
    const compacting = Promise.allSettled(stores.map((store) => store.compact()));
    // It dies while it unlinks what it has replaced.
    let unlinked = 0;
    const dies = 1 + random.below(4);
    rivals[0].observe(({ kind, path }) => {
      if (kind === "unlink" && path.endsWith(".seg") && ++unlinked === dies) rivals[0].killProcess();
    });
    for (const result of await compacting)
      if (result.status === "rejected" && !isCkptError(result.reason)) return String(result.reason);
    for (const store of stores) await store.close().catch(() => undefined);
    const verdict = await afterwards(bench, disk, ledger, { a: 20, b: 20, "own-0": 10, "own-1": 10 });
    if (verdict !== undefined) return `seed ${seed}: ${verdict}`;
  }
  return undefined;
};

/** A reader in another process, while the holder saves, removes and compacts: what is never removed can be read at every moment. */
export const readers: Instrument = async (bench) => {
  for (let seed = 1; seed <= 8; seed++) {
    const random = new SeededRandom(seed);
    const disk = new FaultyFileSystem();
    const writer = await bench.open(disk.process());
    await writer.acquire("a");
    for (let n = 1; n <= 12; n++) await writer.commit([put("a", n)]);
    const reader = await openOn(bench, delayed(disk.process(), random, 30));
    let done = false;
    const write = async () => {
      for (let n = 13; n <= 24; n += 3) {
        for (let i = 0; i < 3; i++) await writer.commit([put("a", n + i)]);
        await writer.commit([remove("a", `a:${n}`)]);
        await writer.compact();
      }
      done = true;
    };
    let broken: Verdict;
    const read = async () => {
      while (!done && broken === undefined) {
        const id = `a:${1 + random.below(12)}`;
        await reader.load("a", id).catch((error: unknown) => {
          broken = `seed ${seed}: ${id} could not be read: ${String(error)}`;
        });
      }
    };
    await Promise.all([write(), read(), read(), read()]);
    if (broken !== undefined) return broken;
    const [finding] = reader.takeFindings();
    if (finding !== undefined) return `seed ${seed}: the reader was told of ${finding.message}`;
    await writer.close();
    await reader.close();
  }
  return undefined;
};

/**
 * A process dies while its write has reached the page cache and not the disk. Whoever takes the agent over sees the checkpoint, and a retry
 * of the same save is answered "durable": then it must survive a power cut. With `failing`, the first sync of the taker fails.
 */
const takeoverWith =
  (failing: boolean): Instrument =>
  async (bench) => {
    for (let at = failing ? 1 : 0; at <= (failing ? 60 : 0); at++) {
      const disk = new FaultyFileSystem();
      const before = disk.process();
      const dying = await openOn(
        bench,
        withoutSafeguard(before, "dsync", (path) => path.endsWith(".seg")),
      );
      await dying.acquire("a");
      const entry = put("a", 1);
      await dying.commit([entry]);
      before.killProcess();
      const faults = new FaultPlan();
      if (failing) faults.failSync({ at, marksClean: true });
      const after = disk.process(faults);
      const ledger = new Ledger();
      const store = ledger.watch(await bench.open(after));
      try {
        await store.acquire("a");
        await store.commit([entry]);
        await store.commit([put("a", 2)]);
      } catch (error) {
        if (!isCkptError(error)) return String(error);
      }
      const cut = disk.powerCut({ mode: "strict" });
      await store.close().catch(() => undefined);
      const found = await checkLedger(await bench.open(cut), ledger, ledger.moment, `sync ${at} failed`);
      const bad = found.find(({ kind }) => kind === "lost" || kind === "unreadable");
      if (bad !== undefined) return `${bad.kind}: ${bad.message} (${bad.where})`;
    }
    return undefined;
  };

export const takeover = takeoverWith(false);
export const takeoverFailing = takeoverWith(true);

/** A lock that lies lets a second holder in. What the later one writes counts; what the former still writes is ignored, and reported. */
export const lyingLock: Instrument = async (bench) => {
  const disk = new FaultyFileSystem();
  const former = await bench.open(disk.process());
  await former.acquire("a");
  for (let n = 1; n <= 3; n++) await former.commit([put("a", n)]);
  const later = await openOn(
    bench,
    withoutSafeguard(disk.process(), "lock", (path) => path.includes("/agents/")),
  );
  await later.acquire("a");
  await later.commit([put("a", 4, 104)]);
  for (let n = 4; n <= 8; n++) await former.commit([put("a", n, 200 + n)]);
  await later.commit([put("a", 5, 105)]);
  const reader = await bench.open(disk.process());
  const wanted = ["1", "2", "3", "104", "105"].join();
  const marks = (await reader.list("a")).map(({ metadata }) => String(metadata.mark)).join();
  if (marks !== wanted) return `${marks} is there instead of ${wanted}`;
  for (const { id } of await reader.list("a")) await reader.load("a", id);
  const found = await findingsOf(reader);
  if (!found.some((finding) => finding.startsWith("superseded"))) return "ignored entries were not reported";
  const { headId } = (await reader.agent("a")) ?? {};
  if (headId !== "a:5") return `the head is ${headId}`;
  for (const store of [former, later, reader]) await store.close();
  return undefined;
};

/** Where no system locks are, the exclusive link alone must keep two processes from holding one agent. */
export const contention: Instrument = async (bench) => {
  for (let seed = 1; seed <= 5; seed++) {
    const disk = new FaultyFileSystem({ locks: false });
    await disk.mkdir("/leases", 0o700);
    const random = new SeededRandom(seed);
    let holder: number | undefined;
    let broken: Verdict;
    const epochs = new Set<number>();
    let granted = 0;
    const live = async (me: number) => {
      // One is so slow that others come and go between two of its steps.
      const slow = me === 1 ? delayed(disk.process(), random, 6, () => sleep(5)) : disk.process();
      const fs = bench.weaken(slow);
      while (granted < 120 && broken === undefined) {
        try {
          const lease = await acquireLease("/leases", { fs });
          if (holder !== undefined) broken = `process ${me} took the lease that ${holder} holds`;
          if (epochs.has(lease.epoch)) broken ??= `epoch ${lease.epoch} was given twice`;
          epochs.add(lease.epoch);
          granted += 1;
          holder = me;
          if (random.chance(0.2)) await sleep(4);
          else await immediately();
          if (holder === me) holder = undefined;
          await lease.release();
        } catch (error) {
          if (!isCkptError(error)) throw error;
          await immediately();
        }
      }
    };
    await Promise.all([live(1), live(2), live(3), live(4)]);
    if (broken !== undefined) return `seed ${seed}: ${broken}`;
  }
  return undefined;
};
