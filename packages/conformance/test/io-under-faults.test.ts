import { type CutMode, type DiskImage, FaultPlan, FaultyFileSystem } from "@ckpt/conformance";
import { isCkptError } from "@ckpt/errors";
import {
  acquireLease,
  ensureDirectory,
  FrameLog,
  type Lease,
  readWithFallbacks,
  recoverFrameLog,
  streamRecord,
  writeAtomic,
} from "@ckpt/io";
import { describe, expect, it } from "vitest";

/** The disk at one moment, and what had been promised by then. */
interface Moment {
  readonly image: DiskImage;
  readonly at: string;
  readonly acked: readonly string[];
  readonly begun: readonly string[];
  readonly written: number;
  readonly writing: number;
  readonly epoch: number;
}

/** Appends short and long records, gives one up, replaces a file and passes a lease on: the disk at every operation. */
async function everyMoment(fs: FaultyFileSystem, preallocate: number | false): Promise<Moment[]> {
  const moments: Moment[] = [];
  const acked: string[] = [];
  const begun: string[] = [];
  let [written, writing, epoch] = [0, 0, 0];
  fs.observe((operation, phase) => {
    const at = `${phase} ${JSON.stringify(operation)}`;
    moments.push({ image: fs.image(), at, acked: [...acked], begun: [...begun], written, writing, epoch });
  });
  await ensureDirectory("/a/b", { fs });
  const log = await FrameLog.create("/a/b/log", { fs, fragmentBytes: 500, maxBatchBytes: 1200, preallocate });
  const append = async (bytes: number) => {
    const text = `${begun.length}:`.padEnd(bytes, "x");
    begun.push(text);
    await log.append({ kind: 1, body: Buffer.from(text) });
    acked.push(text);
  };
  const broken = function* () {
    yield Buffer.alloc(1100, 1);
    throw new Error("the body broke");
  };
  for (let round = 0; round < 3; round++) {
    await append(10);
    await Promise.all([append(100), append(700), append(5)]);
    await expect(log.append({ kind: 1, body: broken() })).rejects.toThrow("the body broke");
    await append(4000);
    writing++;
    await writeAtomic("/a/c/file", `v${writing}`, { fs });
    written = writing;
    const lease = await acquireLease("/a/lease", { fs });
    epoch = lease.epoch;
    await lease.release();
  }
  await log.close();
  fs.observe(undefined);
  return moments;
}

async function textsOf(fs: FaultyFileSystem): Promise<{ texts: string[]; damages: number }> {
  const texts: string[] = [];
  const found = await recoverFrameLog("/a/b/log", {
    fs,
    onRecord: async (record, handle) => {
      let text = "";
      for await (const body of streamRecord(handle, record.offset)) text += Buffer.from(body).toString();
      texts.push(text);
    },
  });
  return { texts, damages: found.damages.length };
}

async function checkMoment(moment: Moment, mode: CutMode, seed: number): Promise<void> {
  const where = `${mode} cut, seed ${seed}, ${moment.at}`;
  const fs = new FaultyFileSystem({ image: moment.image }).powerCut({ mode, seed });
  const { texts, damages } = await textsOf(fs).catch((error: unknown) => {
    if (isCkptError(error, "CKPT_NOT_FOUND")) return { texts: [], damages: 0 };
    throw error;
  });
  expect(texts.slice(0, moment.acked.length), where).toEqual(moment.acked);
  expect(texts, where).toEqual(moment.begun.slice(0, texts.length));
  expect(damages, where).toBe(0);
  const version = await readWithFallbacks(["/a/c/file"], { fs }).then(
    ({ value }) => Number(Buffer.from(value).toString().slice(1)),
    () => 0,
  );
  expect([moment.written, moment.writing], where).toContain(version);
  const names = await fs.readdir("/a/lease").catch(() => []);
  const epochs = names.map((name) => Number(/^(\d+)\.lease$/.exec(name)?.[1] ?? 0));
  expect(Math.max(0, ...epochs), where).toBeGreaterThanOrEqual(moment.epoch);
}

describe("@ckpt/io under a power cut at every operation", () => {
  it.each([
    ["with space zeroed ahead", 3000, false],
    ["with short writes", 3000, true],
    ["without space zeroed ahead", false, false],
  ] as const)(
    "keeps each acknowledged record, file and epoch, and shows no half of any other, %s",
    async (...args) => {
      const [, preallocate, short] = args;
      const faults = new FaultPlan();
      if (short) faults.shortWrites({ seed: 5 });
      const moments = await everyMoment(new FaultyFileSystem({ faults }), preallocate);
      expect(moments.length).toBeGreaterThan(100);
      for (const moment of moments) {
        await checkMoment(moment, "strict", 0);
        for (let seed = 0; seed < 3; seed++) {
          await checkMoment(moment, "reordered", seed);
          await checkMoment(moment, "torn", seed);
        }
      }
    },
  );
});

/** Runs every part once, and says which succeeded and what the others threw. */
async function runAll(fs: FaultyFileSystem): Promise<{ done: Set<string>; errors: unknown[] }> {
  const done = new Set<string>();
  const errors: unknown[] = [];
  const step = async (name: string, run: () => Promise<unknown> | undefined) => {
    try {
      if ((await run()) !== undefined) done.add(name);
    } catch (error) {
      errors.push(error);
    }
  };
  const retry = { baseDelayMs: 0, tries: 2 };
  let log: FrameLog | undefined;
  let lease: Lease | undefined;
  await step("directory", () => ensureDirectory("/a", { fs }));
  await step("create", async () => {
    log = await FrameLog.create("/a/log", { fs });
    return log;
  });
  await step("one", () => log?.append({ kind: 1, body: Buffer.from("one") }));
  await step("two", () => log?.append({ kind: 1, body: Buffer.from("two") }));
  await step("close", () => log?.close());
  await step("/a/file", () => writeAtomic("/a/file", "x", { fs, retry }));
  await step("/a/exclusive", () => writeAtomic("/a/exclusive", "x", { fs, exclusive: true, retry }));
  await step("lease", async () => {
    lease = await acquireLease("/a/lease", { fs });
    return lease;
  });
  await step("release", async () => {
    await lease?.release();
    return true;
  });
  return { done, errors };
}

describe("@ckpt/io with a fault at every operation", () => {
  it.each(["EIO", "ENOSPC", "EINTR"])(
    "throws typed errors only, and keeps what it reported done: %s",
    async (errno) => {
      for (const mode of ["once", "forever"] as const) {
        for (const afterDoing of [false, true]) {
          for (let at = 1; ; at++) {
            const where = `${errno} ${mode} at ${at}${afterDoing ? " after doing" : ""}`;
            const fs = new FaultyFileSystem({
              faults: new FaultPlan().failAt(at, { errno, mode, afterDoing }),
            });
            const { done, errors } = await runAll(fs);
            for (const error of errors) expect(isCkptError(error), `${where}: ${String(error)}`).toBe(true);
            const left = fs.powerCut({ mode: "strict" });
            const texts: string[] = [];
            const onRecord = ({ head }: { head: Uint8Array }) =>
              void texts.push(Buffer.from(head).toString());
            if (done.has("one")) await recoverFrameLog("/a/log", { fs: left, onRecord });
            for (const text of ["one", "two"]) if (done.has(text)) expect(texts, where).toContain(text);
            for (const path of ["/a/file", "/a/exclusive"]) {
              if (done.has(path)) expect(await left.stat(path), where).toBeDefined();
            }
            // Nobody has the lease who was not told so; one fault must not keep the others out.
            if (mode === "once" && (done.has("release") || !done.has("lease"))) {
              await expect(acquireLease("/a/lease", { fs: fs.process() }), where).resolves.toBeDefined();
            }
            if (errors.length === 0 && at > 60) break;
          }
        }
      }
    },
  );
});
