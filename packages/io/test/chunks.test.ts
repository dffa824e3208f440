import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { copyFile, createChecksum, nodeFileSystem, readChunks, writeChunks } from "@ckpt/io";
import { describe, expect, it } from "vitest";
import { FailingFs } from "./support/failing-fs.js";
import { MemoryFile } from "./support/memory-file.js";
import { fc, propertyOptions } from "./support/property.js";
import { tempDirectory } from "./support/temp-directory.js";

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

async function fileOf(bytes: Uint8Array): Promise<string> {
  const path = join(await tempDirectory(), "file");
  await writeFile(path, bytes);
  return path;
}

describe("readChunks", () => {
  it("reads any range in chunks of any size, with progress and a running checksum", async () => {
    const bytes = Buffer.from(Array.from({ length: 1000 }, (_, i) => i & 255));
    const path = await fileOf(bytes);
    const sum = createChecksum("sha256");
    const progress: [number, number | undefined][] = [];
    const chunks: Uint8Array[] = [];
    const options = {
      chunkBytes: 300,
      from: 10,
      checksum: sum,
      onProgress: (...p: [number, number | undefined]) => progress.push(p),
    };
    for await (const chunk of readChunks(path, options)) chunks.push(chunk);
    expect(chunks.map((c) => c.length)).toEqual([300, 300, 300, 90]);
    expect(Buffer.concat(chunks).equals(bytes.subarray(10))).toBe(true);
    expect(sum.digest()).toBe(sha256(bytes.subarray(10)));
    expect(progress).toEqual([
      [300, 990],
      [600, 990],
      [900, 990],
      [990, 990],
    ]);
  });

  it("completes short reads, closes the file when the loop is left, and reports errors by code", async () => {
    const path = await fileOf(Buffer.from("abcdefgh"));
    const short = new FailingFs((operation) => (operation === "read" ? 1 : undefined));
    for await (const chunk of readChunks(path, { fs: short.fs, chunkBytes: 4 })) {
      expect(String(chunk)).toBe("abcd");
      break;
    }
    expect(short.count("close")).toBe(1);
    const failing = new FailingFs((operation) => (operation === "read" ? "EIO" : undefined));
    await expect(readChunks(path, { fs: failing.fs }).next()).rejects.toMatchObject({ code: "CKPT_IO" });
    expect(failing.count("close")).toBe(1);
    await expect(readChunks(`${path}-none`).next()).rejects.toMatchObject({ code: "CKPT_NOT_FOUND" });
  });

  it("refuses a chunk size with which it would never end", async () => {
    const path = await fileOf(Buffer.from("data"));
    await expect(readChunks(path, { chunkBytes: 0 }).next()).rejects.toMatchObject({
      code: "CKPT_INVALID_ARGUMENT",
    });
    await expect(writeChunks(new MemoryFile(), [], { chunkBytes: -1 })).rejects.toMatchObject({
      code: "CKPT_INVALID_ARGUMENT",
    });
  });

  it("stops when the signal fires", async () => {
    const path = await fileOf(Buffer.alloc(100));
    const controller = new AbortController();
    let chunks = 0;
    const reading = (async () => {
      for await (const _ of readChunks(path, { chunkBytes: 10, signal: controller.signal })) {
        if (++chunks === 3) controller.abort();
      }
    })();
    await expect(reading).rejects.toMatchObject({ code: "CKPT_ABORTED" });
    expect(chunks).toBe(3);
  });
});

describe("writeChunks", () => {
  it("writes what it is given in writes of at most chunkBytes, whatever the pieces", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 20 }),
        fc.integer({ min: 1, max: 40 }),
        async (pieces, chunkBytes) => {
          const file = new MemoryFile();
          const whole = Buffer.concat(pieces);
          let done = 0;
          const onProgress = (bytes: number) => {
            expect(bytes - done).toBeLessThanOrEqual(chunkBytes);
            done = bytes;
          };
          const written = await writeChunks(file, pieces, { chunkBytes, checksum: "sha256", onProgress });
          expect(written).toEqual({ bytes: whole.length, checksum: sha256(whole) });
          expect(file.bytes.equals(whole)).toBe(true);
          expect(file.writes).toBe(Math.ceil(whole.length / chunkBytes));
        },
      ),
      propertyOptions(100),
    );
  });
});

describe("copyFile", () => {
  it("copies with bounded memory and verifies the copy", async () => {
    const bytes = Buffer.alloc(3_000_000, "0123456789abc");
    const from = await fileOf(bytes);
    const to = `${from}-copy`;
    let most = 0;
    const report = await copyFile(from, to, {
      verify: true,
      checksum: "sha256",
      chunkBytes: 100_000,
      onProgress: (done, total) => {
        most = done;
        expect(total).toBe(3_000_000);
      },
    });
    expect(report).toMatchObject({ path: to, bytes: 3_000_000, checksum: sha256(bytes) });
    expect(most).toBe(3_000_000);
    expect((await readFile(to)).equals(bytes)).toBe(true);
    await expect(copyFile(`${from}-none`, to)).rejects.toMatchObject({ code: "CKPT_NOT_FOUND" });
  });

  it("tries a transient read error again from the start", async () => {
    const from = await fileOf(Buffer.from("data"));
    let reads = 0;
    const failing = new FailingFs((operation) =>
      operation === "read" && ++reads === 1 ? "EAGAIN" : undefined,
    );
    await copyFile(from, `${from}-copy`, { fs: failing.fs, retry: { baseDelayMs: 1 } });
    expect(await readFile(`${from}-copy`, "utf8")).toBe("data");
  });

  it("notices a disk that gives back other bytes than it took", async () => {
    const from = await fileOf(Buffer.from("right"));
    const lying = {
      ...nodeFileSystem,
      rename: async (temp: string, to: string) => {
        await writeFile(temp, "wrong");
        await nodeFileSystem.rename(temp, to);
      },
    };
    await expect(copyFile(from, `${from}-copy`, { fs: lying, verify: true })).rejects.toMatchObject({
      code: "CKPT_CORRUPT",
    });
  });
});
