/** Commits that fail by themselves, the disk being well: what depends on one fails with it, and nothing else does. */
import { FaultyFileSystem } from "@ckpt/conformance/faulty-fs";
import { type Bench, findingsOf, type Instrument, openOn, type Put, put, type Verdict } from "../bench.js";

/** Large enough that it is encoded while others are submitted behind it. */
const LARGE_BYTES = 1_500_000;

/** The same put, whose state cannot be encoded to its end once `breaks()`. */
function unwritable(entry: Put, breaks: () => boolean): Put {
  const hash = () => {
    if (breaks()) throw new Error("the state cannot be encoded");
    return entry.snapshot.hash;
  };
  return { ...entry, snapshot: Object.create(entry.snapshot, { hash: { get: hash } }) };
}

const settledOf = (commits: readonly Promise<unknown>[]) =>
  Promise.allSettled(commits).then((results) => results.map(({ status }) => status).join(" "));

/** A batch has a checkpoint once more that a commit under way brings, and that one fails. */
async function once(bench: Bench): Promise<Verdict> {
  const disk = new FaultyFileSystem();
  const store = await bench.open(disk.process());
  for (const agentId of ["a", "b", "c"]) await store.acquire(agentId);
  for (const agentId of ["a", "b", "c"]) await store.commit([put(agentId, 1)]);
  let isBroken = false;
  const large = put("a", 2, 2, LARGE_BYTES);
  const commits = [
    store.commit([unwritable(large, () => isBroken)]),
    store.commit([large, put("b", 2)]),
    store.commit([put("a", 3)]),
    store.commit([put("c", 2)]),
  ];
  isBroken = true;
  const settled = await settledOf(commits);
  if (settled !== "rejected rejected rejected fulfilled") return `the commits were ${settled}`;
  const counts = async (there: typeof store) =>
    (await Promise.all(["a", "b", "c"].map(async (id) => (await there.list(id)).length))).join(" ");
  const now = await counts(store);
  await store.close();
  const again = await bench.open(disk.process());
  const later = await counts(again);
  const [finding] = await findingsOf(again);
  await again.close();
  if (now !== "1 1 2" || later !== now) return `there are ${now} checkpoints, and ${later} after reopening`;
  return finding;
}

/** A batch whose header fits because most of its metadata is the same: wherever the chain before it ends, it is written. */
async function fitting(bench: Bench): Promise<Verdict> {
  for (const before of [1, 2, 3]) {
    const disk = new FaultyFileSystem();
    const store = await openOn(bench, disk.process(), { maxChainDeltas: 3 });
    await store.acquire("a");
    const { snapshot } = put("a", 1);
    for (let n = 1; n <= before; n++) await store.commit([{ ...put("a", n), snapshot }]);
    const same = "s".repeat(20 * 1024 * 1024);
    const batch = [1, 2].map((i): Put => {
      const { op, header } = put("a", before + i);
      return { op, header: { ...header, metadata: { same, turn: i } }, snapshot };
    });
    const settled = await settledOf([store.commit(batch)]);
    await store.close();
    if (settled !== "fulfilled") return `a batch that fits was ${settled} behind ${before} saves`;
  }
  return undefined;
}

export const dependents: Instrument = async (bench) => (await once(bench)) ?? (await fitting(bench));
