/**
 * A save was rejected, its bytes are on the disk, and no segment could be begun to say that they do not count. Before the agent is given back,
 * and before the store is closed, one must say so: whoever comes next would go on from what was rejected.
 */
import { FaultyFileSystem } from "@ckpt/conformance/faulty-fs";
import type { FileHandle, FileSystem } from "@ckpt/io";
import { type Bench, findingsOf, type Instrument, marksOf, openOn, put, type Verdict } from "../bench.js";
import { beforeOpening, deviceError } from "./intercepted.js";

/** The file system of a process whose device fails in a way of its own. */
class Failing {
  /** Writes to segments fail after they have done their work, and no other segment can be begun. */
  isFailing = false;
  /** Called while a segment is being begun. */
  onBegin: (() => void) | undefined;
  /** Segments that are open for writing. */
  readonly open = new Set<string>();
  readonly fs: FileSystem;

  constructor(below: FileSystem) {
    const opening = beforeOpening(below, (path, { create }) => {
      if (this.isFailing && path.endsWith(".seg") && create === "exclusive") throw deviceError();
    });
    this.fs = {
      ...opening,
      open: async (path, options) => {
        const handle = await opening.open(path, options);
        if (!path.endsWith(".seg") || options.create !== "exclusive") return handle;
        this.onBegin?.();
        return this.#watched(handle);
      },
    };
  }

  #watched(handle: FileHandle): FileHandle {
    const [write, close] = [handle.write.bind(handle), handle.close.bind(handle)];
    this.open.add(handle.path);
    handle.write = async (buffers, position) => {
      const written = await write(buffers, position);
      if (this.isFailing) throw deviceError();
      return written;
    };
    handle.close = () => {
      this.open.delete(handle.path);
      return close();
    };
    return handle;
  }
}

/** A store that holds `x` and `y`, and whose second save of `x` was rejected. */
async function begun(bench: Bench) {
  const disk = new FaultyFileSystem();
  const device = new Failing(disk.process());
  const store = await openOn(bench, device.fs);
  const leases = [await store.acquire("x"), await store.acquire("y")] as const;
  await store.commit([put("x", 1), put("y", 1)]);
  device.isFailing = true;
  const rejected = await store.commit([put("x", 2, 202)]).then(
    () => false,
    () => true,
  );
  if (!rejected) throw new Error("nothing was rejected: this tests nothing");
  return { disk, device, store, leases };
}

async function expected(bench: Bench, disk: FaultyFileSystem, x: string, y: string): Promise<Verdict> {
  const store = await bench.open(disk.process());
  const there = `x ${await marksOf(store, "x")}, y ${await marksOf(store, "y")}`;
  const [finding] = await findingsOf(store);
  await store.close();
  return there === `x ${x}, y ${y}` ? finding : `there are ${there} instead of x ${x}, y ${y}`;
}

/** The next holder saves under the sequence that was rejected, and the former one goes on with another agent. */
const released =
  (beside: number): Instrument =>
  async (bench) => {
    const { disk, device, store, leases } = await begun(bench);
    device.isFailing = false;
    const saves: Promise<unknown>[] = [];
    device.onBegin = () => {
      while (saves.length < beside) saves.push(store.commit([put("y", saves.length + 2)]));
    };
    await leases[0].release();
    await Promise.all(saves);
    const next = await bench.open(disk.process());
    await next.acquire("x");
    const found = await marksOf(next, "x");
    if (found !== "1") return `the next holder finds ${found} instead of 1`;
    await next.commit([put("x", 2, 302)]);
    await store.commit([put("y", 9)]);
    await store.close();
    await next.close();
    if (device.open.size > 0) return `${[...device.open].join()} was left open`;
    return expected(bench, disk, "1 302", ["1", ...saves.map((_, i) => i + 2), "9"].join(" "));
  };

/** It could not be said when the agents were given back; it can be when the store is closed. */
const closed: Instrument = async (bench) => {
  const { disk, device, store, leases } = await begun(bench);
  for (const lease of leases) await lease.release();
  device.isFailing = false;
  await store.close();
  return expected(bench, disk, "1", "1");
};

export const givenBack: Instrument = async (bench) => {
  for (const [when, instrument] of [
    ["given back alone", released(0)],
    ["given back beside saves", released(3)],
    ["closed", closed],
  ] as const) {
    const verdict = await instrument(bench);
    if (verdict !== undefined) return `${when}: ${verdict}`;
  }
  return undefined;
};
