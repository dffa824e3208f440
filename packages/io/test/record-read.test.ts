import { createHash } from "node:crypto";
import { join } from "node:path";
import {
  type AppendReceipt,
  FrameLog,
  nodeFileSystem,
  readFrame,
  readRecord,
  scanRecords,
  streamRecord,
} from "@ckpt/io";
import { describe, expect, it } from "vitest";
import { collect } from "./support/collect.js";
import { MemoryFile } from "./support/memory-file.js";
import { tempDirectory } from "./support/temp-directory.js";

async function logOf(bodies: readonly Uint8Array[], fragmentBytes = 64) {
  const file = new MemoryFile();
  const log = await FrameLog.create("/memory", { fs: file.asFileSystem(), fragmentBytes });
  const receipts: AppendReceipt[] = [];
  for (const body of bodies) receipts.push(await log.append({ kind: 5, codec: 2, body }));
  return { file, receipts };
}

const long = Buffer.from(Array.from({ length: 1000 }, (_, i) => i & 255));

describe("readRecord", () => {
  it("reads a record of one or many fragments, with or without knowing its length", async () => {
    const { file, receipts } = await logOf([Buffer.from("short"), long, new Uint8Array(0)]);
    for (const length of [false, true]) {
      const read = await Promise.all(
        receipts.map((r) => readRecord(file, r.offset, length ? { length: r.length } : {})),
      );
      expect(read.map((r) => Buffer.concat(r.bodies).length)).toEqual([5, 1000, 0]);
      expect(Buffer.concat(read[1]!.bodies).equals(long)).toBe(true);
      expect(read[1]).toMatchObject({
        kind: 5,
        codec: 2,
        length: receipts[1]!.length,
        chain: receipts[1]!.chain,
      });
    }
  });

  it("reads the last frame of a receipt, with the receipt's chain", async () => {
    const { file, receipts } = await logOf([long]);
    const frame = await readFrame(file, receipts[0]!.lastFrame);
    expect(frame).toMatchObject({ isFirst: false, isLast: true, chain: receipts[0]!.chain });
    expect(frame.end).toBe(receipts[0]!.offset + receipts[0]!.length);
  });

  it.each([
    ["a flipped bit in a body", (bytes: Buffer) => bytes.writeUInt8(bytes[300]! ^ 1, 300), 0],
    ["a flipped bit in a header", (bytes: Buffer) => bytes.writeUInt8(bytes[21]! ^ 1, 21), 0],
    ["an offset between frames", () => undefined, 3],
    ["the offset of a later fragment", () => undefined, 104],
    ["an offset behind the end", () => undefined, 1 << 20],
  ])("throws CKPT_CORRUPT for %s", async (_what, spoil, offset) => {
    const { file } = await logOf([long]);
    spoil(file.bytes);
    await expect(readRecord(file, offset)).rejects.toMatchObject({
      code: "CKPT_CORRUPT",
      details: { path: "/memory", offset },
    });
  });

  it("throws CKPT_CORRUPT for a record cut off before its last fragment", async () => {
    const { file, receipts } = await logOf([long]);
    const cut = new MemoryFile(file.bytes.subarray(0, receipts[0]!.length - 104));
    await expect(readRecord(cut, 0)).rejects.toMatchObject({ code: "CKPT_CORRUPT" });
    const pieces: Uint8Array[] = [];
    const streaming = (async () => {
      for await (const piece of streamRecord(cut, 0)) pieces.push(piece);
    })();
    await expect(streaming).rejects.toMatchObject({ code: "CKPT_CORRUPT" });
    expect(pieces.length).toBeGreaterThan(10);
  });

  it("takes no more into memory than it is allowed to, whatever length it is told", async () => {
    const { file } = await logOf([long]);
    await expect(readRecord(file, 0, { maxBytes: 999 })).rejects.toMatchObject({ code: "CKPT_LIMIT" });
    await expect(readRecord(file, 0, { length: Number.MAX_SAFE_INTEGER })).resolves.toBeDefined();
  });

  it("streams 64 MiB in fragments of bounded size", async () => {
    const path = join(await tempDirectory(), "big");
    const log = await FrameLog.create(path);
    const sums = [createHash("sha256"), createHash("sha256")];
    const total = 64 * 1024 * 1024;
    const body = (function* () {
      for (let done = 0; done < total; done += 1 << 16) {
        const chunk = Buffer.alloc(1 << 16, done >> 16);
        sums[0]!.update(chunk);
        yield chunk;
      }
    })();
    const receipt = await log.append({ kind: 1, body });
    await log.close();
    const handle = await nodeFileSystem.open(path, { access: "read" });
    let longest = 0;
    for await (const piece of streamRecord(handle, receipt.offset)) {
      longest = Math.max(longest, piece.length);
      sums[1]!.update(piece);
    }
    const [record] = await collect(scanRecords(handle));
    await handle.close();
    expect(longest).toBe(1024 * 1024);
    expect(sums[1]!.digest("hex")).toBe(sums[0]!.digest("hex"));
    expect(record).toMatchObject({ type: "record", fragments: 64, bodyBytes: total });
  });

  describe("reads a fragment ahead", () => {
    /** The file, and how many of its reads have begun and ended. */
    async function watched() {
      const { file } = await logOf([Buffer.alloc(200_000, 7)], 20_000);
      const counts = { begun: 0, ended: 0, failAt: Number.POSITIVE_INFINITY };
      const read = file.read.bind(file);
      file.read = async (...args: Parameters<typeof read>) => {
        const nth = ++counts.begun;
        await new Promise((resolve) => setImmediate(resolve));
        counts.ended++;
        if (nth === counts.failAt) throw Object.assign(new Error("EIO: failed"), { code: "EIO" });
        return read(...args);
      };
      return { file, counts };
    }

    it("while the one before it is made use of", async () => {
      const { file, counts } = await watched();
      const fragments = streamRecord(file, 0);
      await fragments.next();
      const { begun, ended } = counts;
      await fragments.next();
      expect(begun - ended).toBe(1);
      await fragments.return();
    });

    it("and leaves no read behind when it is stopped", async () => {
      const { file, counts } = await watched();
      for await (const fragment of streamRecord(file, 0)) {
        expect(fragment.length).toBe(20_000);
        break;
      }
      expect(counts.ended).toBe(counts.begun);
    });

    it("but throws what went wrong with it after the fragments before it, and only when it is asked for", async () => {
      const { file, counts } = await watched();
      counts.failAt = 4;
      let fragments = 0;
      const streaming = (async () => {
        for await (const _ of streamRecord(file, 0)) {
          fragments++;
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
      })();
      await expect(streaming).rejects.toMatchObject({ code: "EIO" });
      expect(fragments).toBe(2);
    });
  });
});
