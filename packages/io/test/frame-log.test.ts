import { stat } from "node:fs/promises";
import { join } from "node:path";
import { type AppendReceipt, FrameLog, nodeFileSystem, recoverFrameLog, scanRecords } from "@ckpt/io";
import { describe, expect, it } from "vitest";
import { collect } from "./support/collect.js";
import { FailingFs } from "./support/failing-fs.js";
import { MemoryFile } from "./support/memory-file.js";
import { fc, propertyOptions } from "./support/property.js";
import { tempDirectory } from "./support/temp-directory.js";

const text = (s: string) => Buffer.from(s);

async function freshPath(): Promise<string> {
  return join(await tempDirectory(), "log");
}

async function memoryLog(options = {}) {
  const file = new MemoryFile();
  return { file, log: await FrameLog.create("/memory", { fs: file.asFileSystem(), ...options }) };
}

describe("FrameLog", () => {
  it("acknowledges records in the order of their appends, and gives them all back", async () => {
    const path = await freshPath();
    const log = await FrameLog.create(path);
    const order: number[] = [];
    const receipts = await Promise.all(
      Array.from({ length: 50 }, async (_, i) => {
        const receipt = await log.append({ kind: i, body: text(`record ${i}`) });
        order.push(i);
        return receipt;
      }),
    );
    expect(order).toEqual(Array.from({ length: 50 }, (_, i) => i));
    expect(log.head).toEqual({
      length: log.ackedBytes,
      chain: log.lastChain,
      lastFrame: receipts[49]!.lastFrame,
    });
    await log.close();
    expect((await stat(path)).size).toBe(log.ackedBytes);
    const heads: string[] = [];
    const result = await recoverFrameLog(path, {
      onRecord: (record) => void heads.push(String(record.head)),
    });
    expect(heads).toEqual(Array.from({ length: 50 }, (_, i) => `record ${i}`));
    expect(result).toEqual({
      records: 50,
      length: log.ackedBytes,
      chain: log.lastChain,
      tornAt: undefined,
      damages: [],
      incomplete: [],
      brokenLinks: [],
    });
  });

  it("writes the appends of one turn with one write, and those of the continuations with the next", async () => {
    const { file, log } = await memoryLog();
    await Promise.all(Array.from({ length: 100 }, () => log.append({ kind: 1, body: text("x") })));
    expect(file.writes).toBe(1);
    const later = async () => {
      for (let i = 0; i < 5; i++) {
        await log.append({ kind: 1, body: text("x") });
        await Promise.resolve(); // some work of the caller, a few microtasks long
        await Promise.resolve();
      }
    };
    await Promise.all(Array.from({ length: 20 }, later));
    expect(file.writes).toBe(6);
  });

  it("takes bodies as arrays, iterables and async iterables with chunks of any length", async () => {
    const chunks = [text(""), text("abc"), text("defghijkl"), text("m"), text("")];
    const { file, log } = await memoryLog({ fragmentBytes: 4 });
    const asyncBody = async function* () {
      for (const chunk of chunks) {
        await new Promise((resolve) => setImmediate(resolve));
        yield chunk;
      }
    };
    await Promise.all([
      log.append({ kind: 1, body: Buffer.concat(chunks) }),
      log.append({ kind: 2, body: chunks }),
      log.append({ kind: 3, body: asyncBody() }),
      log.append({ kind: 4, body: [] }),
    ]);
    const records = await collect(scanRecords(file));
    expect(records).toMatchObject([
      { kind: 1, fragments: 4, bodyBytes: 13 },
      { kind: 2, fragments: 4, bodyBytes: 13 },
      { kind: 3, fragments: 4, bodyBytes: 13 },
      { kind: 4, fragments: 1, bodyBytes: 0 },
    ]);
  });

  it("keeps a long record contiguous and its memory bounded while others wait", async () => {
    const { file, log } = await memoryLog({ fragmentBytes: 1000, maxBatchBytes: 4000 });
    let pulled = 0;
    let most = 0;
    const body = (function* () {
      for (let i = 0; i < 100; i++) {
        pulled += 500;
        most = Math.max(most, pulled - file.bytes.length);
        yield Buffer.alloc(500, i);
      }
    })();
    const big = log.append({ kind: 1, body });
    const small = log.append({ kind: 2, body: text("small") });
    await Promise.all([big, small]);
    expect(most).toBeLessThan(7000);
    expect(await collect(scanRecords(file))).toMatchObject([
      { kind: 1, fragments: 50 },
      { kind: 2, fragments: 1 },
    ]);
  });

  it("completes short writes of any length", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 10 }),
        fc.infiniteStream(fc.integer({ min: 1, max: 120 })),
        async (bodies, lengths) => {
          const { file, log } = await memoryLog({ fragmentBytes: 100, preallocate: 256 });
          file.shortWrite = () => lengths.next().value as number;
          await Promise.all(bodies.map((body) => log.append({ kind: 1, body })));
          await log.close();
          const records = await collect(scanRecords(file));
          expect(records.map((r) => r.type === "record" && r.bodyBytes)).toEqual(bodies.map((b) => b.length));
        },
      ),
      propertyOptions(100),
    );
  });

  it("says in each frame what was acknowledged when it was written, and no more", async () => {
    const { file, log } = await memoryLog({ fragmentBytes: 10, maxBatchBytes: 20 });
    const a = await log.append({ kind: 1, body: text("a") });
    const b = await log.append({ kind: 2, body: Buffer.alloc(100) }); // several writes
    const c = await log.append({ kind: 3, body: text("c") });
    const records = await collect(scanRecords(file));
    const ends = [0, a.offset + a.length, b.offset + b.length];
    expect(records.map((r) => r.type === "record" && r.acked)).toEqual(ends);
    expect(c.offset).toBe(ends[2]);
  });

  it("zeroes space ahead within the same writes, so that the file grows rarely", async () => {
    const path = await freshPath();
    const failing = new FailingFs();
    const log = await FrameLog.create(path, { fs: failing.fs });
    const sizes = new Set<number>();
    for (let i = 0; i < 100; i++) {
      await log.append({ kind: 1, body: Buffer.alloc(2000, 1) });
      sizes.add((await stat(path)).size);
    }
    expect(failing.count("write")).toBe(100);
    expect(sizes.size).toBeLessThan(5);
    await log.close();
    const plain = await FrameLog.create(`${path}2`, { preallocate: false });
    await plain.append({ kind: 1, body: text("x") });
    expect((await stat(`${path}2`)).size).toBe(plain.ackedBytes);
    await plain.close();
  });

  it("gives the rest of a full disk to the data, not to the zeros", async () => {
    const { file, log } = await memoryLog();
    file.shortWrite = () => 60; // the data of the first record fit, the zeros do not
    await log.append({ kind: 1, body: text("fits") });
    file.shortWrite = () => Number.POSITIVE_INFINITY;
    const before = file.bytes.length;
    await log.append({ kind: 1, body: text("x") });
    expect(before).toBeLessThan(100);
    expect(file.bytes.length).toBe(log.ackedBytes);
  });
});

describe("a FrameLog whose body fails", () => {
  it("rejects that record with the body's error and goes on, leaving no trace but abandoned fragments", async () => {
    const { file, log } = await memoryLog({ fragmentBytes: 10 });
    let wasClosed = false;
    const failing = (bytesBefore: number) =>
      (function* () {
        try {
          yield Buffer.alloc(bytesBefore);
          throw new Error("the body broke");
        } finally {
          wasClosed = true;
        }
      })();
    const results = await Promise.allSettled([
      log.append({ kind: 1, body: text("before") }),
      log.append({ kind: 2, body: failing(5) }),
      log.append({ kind: 3, body: failing(35) }),
      log.append({ kind: 4, body: text("after") }),
    ]);
    expect(results.map((r) => r.status)).toEqual(["fulfilled", "rejected", "rejected", "fulfilled"]);
    expect(results[2]).toMatchObject({ reason: { message: "the body broke" } });
    expect(wasClosed).toBe(true);
    const items = await collect(scanRecords(file));
    expect(items.map((item) => (item.type === "record" ? item.kind : item.type))).toEqual([
      1,
      "incomplete",
      4,
    ]);
    expect(items[1]).toMatchObject({ reason: "abandoned" });
    expect(items[2]).toMatchObject({ link: "continues" });
  });

  it("closes the bodies of the records that it gives up, waiting ones included", async () => {
    const closed: string[] = [];
    const endless = (name: string, chunk: unknown = Buffer.alloc(60)) =>
      (function* () {
        try {
          while (true) yield chunk as Uint8Array;
        } finally {
          closed.push(name);
        }
      })();
    const { log } = await memoryLog();
    const refused = log.append({ kind: 1, body: endless("no bytes", "text") });
    await expect(refused).rejects.toMatchObject({ code: "CKPT_INVALID_ARGUMENT" });
    expect(closed).toEqual(["no bytes"]);
    const failing = new FailingFs((operation) => (operation === "write" ? "EIO" : undefined));
    const poisoned = await FrameLog.create(await freshPath(), { fs: failing.fs, fragmentBytes: 100 });
    await expect(poisoned.append({ kind: 1, body: endless("poisoned") })).rejects.toMatchObject({
      code: "CKPT_LOG_POISONED",
    });
    expect(closed).toEqual(["no bytes", "poisoned"]);
    await poisoned.close();
  });

  it("cuts abandoned fragments at the end off on close", async () => {
    const { file, log } = await memoryLog({ fragmentBytes: 10 });
    await log.append({ kind: 1, body: text("kept") });
    const body = (async function* () {
      yield Buffer.alloc(35);
      throw new Error("the body broke");
    })();
    await expect(log.append({ kind: 2, body })).rejects.toThrow("the body broke");
    await log.close();
    expect(file.bytes.length).toBe(log.ackedBytes);
    expect(await collect(scanRecords(file))).toHaveLength(1);
  });

  it.each([
    ["a kind that is no byte", { kind: 256, body: text("x") }],
    ["a codec that is no byte", { kind: 1, codec: -1, body: text("x") }],
    ["a chunk that is no bytes", { kind: 1, body: ["text"] as unknown as Uint8Array[] }],
    ["no body", { kind: 1, body: undefined as unknown as Uint8Array }],
  ])("refuses %s with CKPT_INVALID_ARGUMENT and goes on", async (_what, record) => {
    const { file, log } = await memoryLog();
    await expect(log.append(record)).rejects.toMatchObject({ code: "CKPT_INVALID_ARGUMENT" });
    await log.append({ kind: 1, body: text("fine") });
    expect(await collect(scanRecords(file))).toHaveLength(1);
  });
});

describe("a FrameLog whose disk fails", () => {
  it.each(["EIO", "ENOSPC", "EINTR"])("is poisoned for good by a write that fails with %s", async (errno) => {
    const path = await freshPath();
    const failing = new FailingFs();
    const log = await FrameLog.create(path, { fs: failing.fs });
    const kept = await log.append({ kind: 1, body: text("kept") });
    failing.rule = (operation) => (operation === "write" ? errno : undefined);
    const under = [log.append({ kind: 2, body: text("a") }), log.append({ kind: 2, body: text("b") })];
    const results = await Promise.allSettled(under);
    for (const result of results) {
      expect(result).toMatchObject({
        status: "rejected",
        reason: {
          code: "CKPT_LOG_POISONED",
          details: { path, errno, possiblyWritten: true, ackedBytes: kept.length },
          cause: { cause: { code: errno } },
        },
      });
    }
    failing.rule = () => undefined;
    const writes = failing.count("write");
    await expect(log.append({ kind: 3, body: text("later") })).rejects.toMatchObject({
      code: "CKPT_LOG_POISONED",
      details: { possiblyWritten: false },
    });
    expect(log.isPoisoned).toBe(true);
    await log.close();
    expect(failing.count("write")).toBe(writes);
    expect(failing.count("truncate") + failing.count("sync")).toBe(0);
    expect(await recoverFrameLog(path)).toMatchObject({ records: 1, length: kept.length });
  });

  it("says which records may be in the file: those of the failed write, not those behind it", async () => {
    const path = await freshPath();
    const failing = new FailingFs((operation) => (operation === "write" ? "EIO" : undefined));
    const log = await FrameLog.create(path, { fs: failing.fs, maxBatchBytes: 100 });
    const results = await Promise.allSettled(
      Array.from({ length: 4 }, () => log.append({ kind: 1, body: Buffer.alloc(60) })),
    );
    const written = results.map((r) => r.status === "rejected" && r.reason.details.possiblyWritten);
    expect(written).toEqual([true, false, false, false]);
    await log.close();
  });

  it("acknowledges nothing of a batch whose second, completing write fails", async () => {
    const path = await freshPath();
    let writes = 0;
    const failing = new FailingFs((operation) => {
      if (operation !== "write") return undefined;
      return ++writes === 1 ? 70 : "EIO";
    });
    const log = await FrameLog.create(path, { fs: failing.fs });
    const results = await Promise.allSettled([
      log.append({ kind: 1, body: text("first") }),
      log.append({ kind: 1, body: text("second") }),
    ]);
    expect(results.map((r) => r.status)).toEqual(["rejected", "rejected"]);
    expect(log.ackedBytes).toBe(0);
    await log.close();
    expect(await recoverFrameLog(path)).toMatchObject({ records: 1, tornAt: 45 });
  });

  it.each([
    { fragmentBytes: 0 },
    { fragmentBytes: 17 * 1024 * 1024 },
    { maxBatchBytes: Number.NaN },
    { preallocate: -1 },
    { chain: new Uint8Array(15) },
  ])("does not come to be with %o", async (options) => {
    const path = await freshPath();
    await expect(FrameLog.create(path, options)).rejects.toMatchObject({ code: "CKPT_INVALID_ARGUMENT" });
    expect(await nodeFileSystem.stat(path)).toBeUndefined();
  });

  it("fails to open on a name that is taken, and leaves the other file as it is", async () => {
    const path = await freshPath();
    const log = await FrameLog.create(path);
    await log.append({ kind: 1, body: text("mine") });
    await expect(FrameLog.create(path)).rejects.toMatchObject({ code: "CKPT_CONFLICT" });
    await log.append({ kind: 1, body: text("still mine") });
    await log.close();
    expect(await recoverFrameLog(path)).toMatchObject({ records: 2 });
  });

  it("does not come to be when its directory cannot be synced", async () => {
    const failing = new FailingFs((operation) => (operation === "syncDirectory" ? "EIO" : undefined));
    await expect(FrameLog.create(await freshPath(), { fs: failing.fs })).rejects.toMatchObject({
      code: "CKPT_IO",
    });
    expect(failing.count("close")).toBe(1);
  });

  it("reports a failing truncate, sync or close from close, which closes all the same", async () => {
    for (const operation of ["truncate", "sync", "close"]) {
      const path = await freshPath();
      const failing = new FailingFs((op) => (op === operation ? "EIO" : undefined));
      const log = await FrameLog.create(path, { fs: failing.fs });
      await log.append({ kind: 1, body: text("kept") });
      await expect(log.close()).rejects.toMatchObject({ code: "CKPT_IO" });
      expect(failing.count("close")).toBe(1);
      expect(await recoverFrameLog(path)).toMatchObject({ records: 1, tornAt: undefined });
    }
  });
});

describe("recoverFrameLog", () => {
  it("reports what cannot be read by code, and hands on what its callback throws", async () => {
    const path = await freshPath();
    await expect(recoverFrameLog(path)).rejects.toMatchObject({ code: "CKPT_NOT_FOUND", details: { path } });
    const log = await FrameLog.create(path);
    await log.append({ kind: 1, body: text("x") });
    await log.close();
    const failing = new FailingFs((operation) => (operation === "read" ? "EIO" : undefined));
    await expect(recoverFrameLog(path, { fs: failing.fs })).rejects.toMatchObject({ code: "CKPT_IO" });
    expect(failing.count("close")).toBe(1);
    const bug = new TypeError("a bug");
    const onRecord = () => Promise.reject(bug);
    await expect(recoverFrameLog(path, { onRecord })).rejects.toBe(bug);
  });
});

describe("closing a FrameLog", () => {
  it("waits for what is under way, and refuses what comes later", async () => {
    const { file, log } = await memoryLog();
    const pending = log.append({ kind: 1, body: text("in time") });
    const closing = log.close();
    await expect(log.append({ kind: 1, body: text("late") })).rejects.toMatchObject({ code: "CKPT_CLOSED" });
    await Promise.all([pending, closing, log.close()]);
    expect(await collect(scanRecords(file))).toHaveLength(1);
  });

  it("recovers what was acknowledged when it never happened", async () => {
    const path = await freshPath();
    const log = await FrameLog.create(path);
    const receipts: AppendReceipt[] = [];
    for (let i = 0; i < 10; i++) receipts.push(await log.append({ kind: 1, body: text(`r${i}`) }));
    expect((await nodeFileSystem.stat(path))!.size).toBeGreaterThan(log.ackedBytes);
    expect(await recoverFrameLog(path)).toMatchObject({
      records: 10,
      length: log.ackedBytes,
      tornAt: undefined,
    });
    await log.close();
  });
});
