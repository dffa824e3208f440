/** Several simulated processes on one disk: compaction beside the living, takeovers from the dead, locks that lie. */
import { checkLedger, Ledger } from "@ckpt/conformance/explore";
import { FaultPlan, FaultyFileSystem, SeededRandom, withoutSafeguard } from "@ckpt/conformance/faulty-fs";
import { isCkptError } from "@ckpt/errors";
import { acquireLease } from "@ckpt/io";
import { type Bench, findingsOf, type Instrument, openOn, put, remove, type Verdict } from "../bench.js";

/** After all that: a fresh start, and a start after a power cut, find everything and nothing to report. */
async function afterwards(
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

/** Two processes compact what a third left, at the same time, with removals in it. */
export const compactors: Instrument = async (bench) => {
  for (let seed = 1; seed <= 6; seed++) {
    const random = new SeededRandom(seed);
    const disk = new FaultyFileSystem();
    const ledger = new Ledger();
    const dead = disk.process();
    const first = ledger.watch(await bench.open(dead));
    await first.acquire("a");
    for (let n = 1; n <= 12; n++) await first.commit([put("a", n)]);
    await first.commit([remove("a", "a:3", "a:4")]);
    dead.killProcess();
    const rivals = [disk.process(), disk.process()];
    for (const fs of rivals) fs.setPace(random);
    const stores = await Promise.all(rivals.map((fs) => bench.open(fs)));
    const results = await Promise.allSettled(stores.map((store) => store.compact()));
    for (const result of results)
      if (result.status === "rejected" && !isCkptError(result.reason)) return String(result.reason);
    const [x, y] = stores.map((store) => ledger.watch(store));
    const taken = await x!.acquire("a");
    await x!.commit([put("a", 13), remove("a", "a:6")]);
    await taken.release();
    await y!.compact();
    for (const store of stores) await store.close();
    const verdict = await afterwards(bench, disk, ledger, { a: 13 });
    if (verdict !== undefined) return `seed ${seed}: ${verdict}`;
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
  for (let seed = 1; seed <= 30; seed++) {
    const disk = new FaultyFileSystem({ locks: false });
    await disk.mkdir("/leases", 0o700);
    const random = new SeededRandom(seed);
    let holder: number | undefined;
    let broken: Verdict;
    const epochs = new Set<number>();
    const live = async (me: number) => {
      const fs = disk.process();
      fs.setPace(random);
      for (let life = 0; life < 12; life++) {
        try {
          const lease = await acquireLease("/leases", { fs: bench.weaken(fs) });
          if (holder !== undefined) broken ??= `process ${me} took the lease that ${holder} holds`;
          if (epochs.has(lease.epoch)) broken ??= `epoch ${lease.epoch} was given twice`;
          epochs.add(lease.epoch);
          holder = me;
          for (let turns = random.below(30); turns > 0; turns--) await undefined;
          if (holder === me) holder = undefined;
          await lease.release();
        } catch (error) {
          if (!isCkptError(error)) throw error;
        }
      }
    };
    await Promise.all([live(1), live(2), live(3), live(4)]);
    if (broken !== undefined) return `seed ${seed}: ${broken}`;
  }
  return undefined;
};
