import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { copyFile, createChecksum, nodeFileSystem, readChunks, writeChunks, writeFully } from "@ckpt/io";
import { describe, expect, it } from "vitest";
import { FailingFs } from "./support/failing-fs.js";
import { MemoryFile } from "./support/memory-file.js";
import { fc, propertyOptions } from "./support/property.js";
import { tempDirectory } from "./support/temp-directory.js";

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

const isWindows = process.platform === "win32";
/** A file that says it has 0 bytes and has more. */
const PROC_FILE = "/proc/version";
const isLinux = process.platform === "linux";

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

  it("reports by code that the open file could not be looked at", async () => {
    const path = await fileOf(Buffer.from("data"));
    const failing = new FailingFs((operation) => (operation === "fstat" ? "EIO" : undefined));
    await expect(readChunks(path, { fs: failing.fs }).next()).rejects.toMatchObject({
      code: "CKPT_IO",
      details: { errno: "EIO", path },
    });
    expect(failing.count("close")).toBe(1);
  });

  it.skipIf(isWindows)("refuses what has no size to go by", async () => {
    const root = await tempDirectory();
    execFileSync("mkfifo", [join(root, "fifo")]);
    for (const [path, kind] of [
      [root, "directory"],
      [join(root, "fifo"), "other"],
      ["/dev/null", "other"],
    ] as const) {
      await expect(readChunks(path).next()).rejects.toMatchObject({
        code: "CKPT_UNSUPPORTED",
        details: { path, kind },
      });
    }
  });

  it.runIf(isLinux)("reads a file that says it has 0 bytes to its end", async () => {
    const chunks: Uint8Array[] = [];
    const totals = new Set<number | undefined>();
    const onProgress = (_: number, total: number | undefined) => totals.add(total);
    for await (const chunk of readChunks(PROC_FILE, { chunkBytes: 10, onProgress })) chunks.push(chunk);
    expect(Buffer.concat(chunks).toString()).toBe(await readFile(PROC_FILE, "utf8"));
    expect([...totals]).toEqual([undefined]);
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

/** Notes what each write is given. */
class WatchedFile extends MemoryFile {
  readonly given: { buffers: number; heldBytes: number }[] = [];

  override write(buffers: readonly Uint8Array[], position: number): Promise<number> {
    const heldBytes = buffers.reduce((sum, { buffer }) => sum + buffer.byteLength, 0);
    this.given.push({ buffers: buffers.length, heldBytes });
    return super.write(buffers, position);
  }
}

describe("writeChunks from a source that uses its memory again", () => {
  it("writes what each chunk held when it was given, with the checksum of that", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 20 }),
        fc.integer({ min: 1, max: 40 }),
        async (pieces, chunkBytes) => {
          const memory = new Uint8Array(50);
          const source = async function* () {
            for (const piece of pieces) {
              memory.set(piece);
              yield memory.subarray(0, piece.length);
              memory.fill(0xee);
            }
          };
          const file = new MemoryFile();
          const whole = Buffer.concat(pieces);
          const written = await writeChunks(file, source(), { chunkBytes, checksum: "sha256" });
          expect(file.bytes.equals(whole)).toBe(true);
          expect(written.checksum).toBe(sha256(whole));
        },
      ),
      propertyOptions(100),
    );
  });

  it("puts tiny chunks next to each other in one buffer of chunkBytes", async () => {
    const file = new WatchedFile();
    const tiny = Array.from({ length: 10_050 }, (_, i) => Uint8Array.of(i));
    await writeChunks(file, tiny, { chunkBytes: 5_000 });
    expect(file.bytes.equals(Buffer.concat(tiny))).toBe(true);
    expect(file.given).toEqual(Array(3).fill({ buffers: 1, heldBytes: 5_000 }));
  });
});

describe("writeFully", () => {
  it("offers each buffer a bounded number of times, however many short writes it takes", async () => {
    const file = new WatchedFile();
    file.shortWrite = () => 700;
    const tiny = Array.from({ length: 20_000 }, (_, i) => new Uint8Array(i % 3).fill(i));
    const whole = Buffer.concat(tiny);
    expect(await writeFully(file, tiny, 0)).toBe(whole.length);
    expect(file.bytes.equals(whole)).toBe(true);
    const offered = file.given.reduce((sum, { buffers }) => sum + buffers, 0);
    expect(offered).toBeLessThan(3 * tiny.length);
  });
});

describe("copyFile", () => {
  it.skipIf(isWindows)("refuses a FIFO, a directory, a link, and makes no empty copy of it", async () => {
    const root = await tempDirectory();
    execFileSync("mkfifo", [join(root, "fifo")]);
    await mkdir(join(root, "directory"));
    await symlink("fifo", join(root, "link"));
    for (const name of ["fifo", "directory", "link"]) {
      await expect(copyFile(join(root, name), join(root, "copy"))).rejects.toMatchObject({
        code: "CKPT_UNSUPPORTED",
        details: { path: join(root, name) },
      });
    }
    expect(await readdir(root)).toEqual(["directory", "fifo", "link"]);
  });

  it.runIf(isLinux)("copies the content of a file that says it has 0 bytes", async () => {
    const to = join(await tempDirectory(), "copy");
    const totals = new Set<number | undefined>();
    const onProgress = (_: number, total: number | undefined) => totals.add(total);
    const report = await copyFile(PROC_FILE, to, { verify: true, onProgress });
    const content = await readFile(PROC_FILE);
    expect((await readFile(to)).equals(content)).toBe(true);
    expect(report.bytes).toBe(content.length);
    expect([...totals]).toEqual([undefined]);
  });

  it("copies an empty file", async () => {
    const from = await fileOf(Buffer.alloc(0));
    expect(await copyFile(from, `${from}-copy`, { verify: true })).toMatchObject({ bytes: 0 });
    expect(await readdir(dirname(from))).toEqual(["file", "file-copy"]);
  });

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
