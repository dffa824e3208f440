/** Records of many fragments, of which the next one is read while the one before it is made use of. */
import { setTimeout as sleep } from "node:timers/promises";
import { FaultPlan, FaultyFileSystem } from "@ckpt/conformance/faulty-fs";
import { type FileHandle, FrameLog, streamRecord } from "@ckpt/io";
import type { Instrument, Verdict } from "../bench.js";

const FRAGMENTS = 10;
const FRAGMENT_BYTES = 20_000;
/** Frames have a header before their bodies. */
const HEADER_BYTES = 40;

async function record() {
  const disk = new FaultyFileSystem();
  const log = await FrameLog.create("/log", { fs: disk, fragmentBytes: FRAGMENT_BYTES });
  await log.append({ kind: 1, body: Buffer.alloc(FRAGMENTS * FRAGMENT_BYTES, 7) });
  await log.close();
  return disk;
}

/** How many fragments come, and the code of what ends them; each is made use of for a while. */
async function streamed(handle: FileHandle): Promise<string> {
  let count = 0;
  try {
    for await (const body of streamRecord(handle, 0)) {
      if (body.some((byte) => byte !== 7)) return `a wrong fragment behind ${count}`;
      count++;
      await sleep(1);
    }
    return `${count}`;
  } catch (error) {
    return `${count} ${String((error as { code?: unknown }).code)}`;
  }
}

async function damaged(): Promise<Verdict> {
  for (let nth = 0; nth < FRAGMENTS; nth++) {
    const disk = await record();
    const handle = await disk.open("/log", { access: "readWrite" });
    const at = nth * (HEADER_BYTES + FRAGMENT_BYTES) + HEADER_BYTES + 9_000;
    await handle.write([Buffer.of(6)], at);
    const found = await streamed(handle);
    await handle.close();
    const wanted = `${nth} CKPT_CORRUPT`;
    if (found !== wanted) return `fragment ${nth} damaged: ${found} instead of ${wanted}`;
  }
  return undefined;
}

/** A read that fails once ends the stream with its error, behind whole fragments, and ends nothing else. */
async function failing(): Promise<Verdict> {
  for (let nth = 1; nth <= FRAGMENTS; nth++) {
    const disk = await record();
    const faults = new FaultPlan().failAt(nth, { errno: "EIO", only: ["read"] });
    const handle = await disk.process(faults).open("/log", { access: "read" });
    const found = await streamed(handle);
    await handle.close();
    if (faults.struck && !found.endsWith(" EIO")) return `read ${nth} failed: ${found}`;
    if (!faults.struck) return nth > FRAGMENTS / 2 ? undefined : `there are only ${nth - 1} reads`;
  }
  return undefined;
}

/** Whoever stops in the middle may close the file: no read is left under way. */
async function stopped(): Promise<Verdict> {
  const handle = await (await record()).open("/log", { access: "read" });
  const read = handle.read.bind(handle);
  let underWay = 0;
  handle.read = async (...given) => {
    underWay++;
    await sleep(1);
    return read(...given).finally(() => {
      underWay--;
    });
  };
  for await (const _ of streamRecord(handle, 0)) break;
  const left = underWay;
  await sleep(5);
  await handle.close();
  return left === 0 ? undefined : "a read was left under way";
}

export const streamedRecords: Instrument = async () =>
  (await damaged()) ?? (await failing()) ?? (await stopped());
