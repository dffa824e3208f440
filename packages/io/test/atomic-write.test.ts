import { readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createChecksum, isTempName, nodeFileSystem, writeAtomic } from "@ckpt/io";
import { describe, expect, it } from "vitest";
import { FailingFs, type Operation } from "./support/failing-fs.js";
import { withLostAnswers } from "./support/lost-answers.js";
import { tempDirectory } from "./support/temp-directory.js";

const fast = { retry: { baseDelayMs: 1, maxDelayMs: 2 } } as const;

async function* stream(...chunks: string[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield Buffer.from(chunk);
}

describe("writeAtomic", () => {
  it("replaces a file by text, bytes, a stream, or what a function gives, and reports it", async () => {
    const path = join(await tempDirectory(), "file");
    expect(await writeAtomic(path, "text")).toEqual({ path, bytes: 4, checksum: undefined, tried: [] });
    expect(await readFile(path, "utf8")).toBe("text");
    await writeAtomic(path, Buffer.from("bytes"));
    expect(await readFile(path, "utf8")).toBe("bytes");
    const report = await writeAtomic(path, stream("a", "", "stream"), { checksum: "sha256", chunkBytes: 3 });
    const sum = createChecksum("sha256");
    sum.update(Buffer.from("astream"));
    expect(report).toMatchObject({ bytes: 7, checksum: sum.digest() });
    expect(await readFile(path, "utf8")).toBe("astream");
    await writeAtomic(path, () => [Buffer.from("func"), Buffer.from("tion")], { mode: 0o640 });
    expect(await readFile(path, "utf8")).toBe("function");
    expect((await stat(path)).mode & 0o777).toBe(0o640);
    await writeAtomic(path, "");
    expect(await readFile(path, "utf8")).toBe("");
  });

  it("writes, syncs, renames and syncs the directory, in this order", async () => {
    const root = await tempDirectory();
    const { fs, calls } = new FailingFs();
    await writeAtomic(join(root, "file"), "data", { fs });
    const order = calls.map(
      ({ operation, path }) => `${operation} ${isTempName(path.slice(root.length + 1)) ? "temp" : path}`,
    );
    expect(order).toEqual([
      "open temp",
      "write temp",
      "sync temp",
      "close temp",
      "rename temp",
      `syncDirectory ${root}`,
    ]);
    expect((await stat(join(root, "file"))).mode & 0o777).toBe(0o600);
  });

  it("creates missing directories, and replaces a link instead of following it", async () => {
    const root = await tempDirectory();
    await writeAtomic(join(root, "a", "b", "file"), "data");
    expect((await stat(join(root, "a"))).mode & 0o777).toBe(0o700);
    await symlink(join(root, "a", "b", "file"), join(root, "link"));
    await writeAtomic(join(root, "link"), "other");
    expect(await readFile(join(root, "a", "b", "file"), "utf8")).toBe("data");
    expect(await readFile(join(root, "link"), "utf8")).toBe("other");
  });

  it("leaves the old bytes and no temporary file, whichever operation fails", async () => {
    const root = await tempDirectory();
    const path = join(root, "file");
    await writeFile(path, "old");
    const operations: Operation[] = ["open", "write", "sync", "close", "rename"];
    for (const operation of operations) {
      for (const [errno, code] of [
        ["ENOSPC", "CKPT_NO_SPACE"],
        ["EIO", "CKPT_IO"],
        ["EACCES", "CKPT_NO_PERMISSION"],
      ] as const) {
        const failing = new FailingFs((op) => (op === operation ? errno : undefined));
        await expect(writeAtomic(path, "new", { fs: failing.fs })).rejects.toMatchObject({
          code,
          details: { attempts: 1 },
        });
        expect(failing.count(operation)).toBe(1);
        expect(await readFile(path, "utf8")).toBe("old");
        expect(await readdir(root)).toEqual(["file"]);
      }
    }
  });

  it("fails on a disk that fills up in the middle of a write, after completing what it could", async () => {
    const root = await tempDirectory();
    let writes = 0;
    const failing = new FailingFs((op) => (op !== "write" ? undefined : ++writes < 3 ? 10 : "ENOSPC"));
    await expect(writeAtomic(join(root, "file"), "x".repeat(1000), { fs: failing.fs })).rejects.toMatchObject(
      {
        code: "CKPT_NO_SPACE",
      },
    );
    expect(writes).toBe(3);
    expect(await readdir(root)).toEqual([]);
  });

  it("tries transient errors again with a fresh temporary file, never syncing the same one twice", async () => {
    const root = await tempDirectory();
    let syncs = 0;
    const failing = new FailingFs((op) => (op === "sync" && ++syncs < 3 ? "EINTR" : undefined));
    await writeAtomic(join(root, "file"), "data", { fs: failing.fs, ...fast });
    const synced = failing.calls.filter(({ operation }) => operation === "sync").map(({ path }) => path);
    expect(new Set(synced).size).toBe(3);
    expect(await readdir(root)).toEqual(["file"]);
  });

  it("does not repeat a stream that was begun, but one that a function gives anew", async () => {
    const path = join(await tempDirectory(), "file");
    for (const repeatable of [false, true]) {
      let syncs = 0;
      const failing = new FailingFs((op) => (op === "sync" && ++syncs === 1 ? "EBUSY" : undefined));
      const data = repeatable ? () => stream("da", "ta") : stream("da", "ta");
      const writing = writeAtomic(path, data, { fs: failing.fs, ...fast, fallback: [`${path}2`] });
      if (repeatable) expect(await writing).toMatchObject({ path, bytes: 4 });
      else await expect(writing).rejects.toMatchObject({ cause: { code: "EBUSY" } });
    }
  });

  it("writes to the next place when one fails, and says so", async () => {
    const root = await tempDirectory();
    const [first, second] = [join(root, "first", "file"), join(root, "second", "file")];
    const failing = new FailingFs((op, path) =>
      op === "write" && path.startsWith(join(root, "first")) ? "ENOSPC" : undefined,
    );
    const report = await writeAtomic(first, "data", { fs: failing.fs, fallback: [second] });
    expect(report).toMatchObject({
      path: second,
      tried: [{ place: first, error: { code: "CKPT_NO_SPACE" }, attempts: 1 }],
    });
    expect(await readFile(second, "utf8")).toBe("data");
    expect(await readdir(join(root, "first"))).toEqual([]);
  });

  it("reports every place with every cause when all fail", async () => {
    const root = await tempDirectory();
    const failing = new FailingFs((op, path) =>
      op !== "write" ? undefined : path.includes("/a/") ? "ENOSPC" : "EROFS",
    );
    const error = await writeAtomic(join(root, "a", "f"), "x", {
      fs: failing.fs,
      fallback: [join(root, "b", "f")],
    }).catch((e: unknown) => e as { cause: AggregateError });
    expect(error).toMatchObject({
      code: "CKPT_ALL_FAILED",
      details: { tried: [{ code: "CKPT_NO_SPACE" }, { code: "CKPT_NO_PERMISSION" }] },
    });
    expect((error as { cause: AggregateError }).cause.errors).toHaveLength(2);
  });

  it("publishes exclusively once, among many at the same time", async () => {
    const root = await tempDirectory();
    const path = join(root, "file");
    const results = await Promise.allSettled(
      Array.from({ length: 10 }, (_, i) =>
        writeAtomic(path, `${i}`, { exclusive: true, fallback: [`${path}2`] }),
      ),
    );
    const won = results.findIndex((result) => result.status === "fulfilled");
    expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    for (const result of results) {
      if (result.status === "rejected") expect(result.reason).toMatchObject({ code: "CKPT_CONFLICT" });
    }
    expect(await readFile(path, "utf8")).toBe(String(won));
    expect(await readdir(root)).toEqual(["file"]);
  });

  it("takes an exclusive link whose answer got lost for done, when the name is ours", async () => {
    const root = await tempDirectory();
    await writeAtomic(join(root, "file"), "data", {
      fs: withLostAnswers("ETIMEDOUT"),
      exclusive: true,
      ...fast,
    });
    expect(await readdir(root)).toEqual(["file"]);
  });

  it("says that the bytes are in place when only the sync of the directory failed, and does not write again", async () => {
    const root = await tempDirectory();
    for (const exclusive of [false, true]) {
      const path = join(root, `file-${exclusive}`);
      const failing = new FailingFs((op) => (op === "syncDirectory" ? "EINTR" : undefined));
      const options = { fs: failing.fs, ...fast, exclusive, fallback: [join(root, "other")] };
      await expect(writeAtomic(path, "data", options)).rejects.toMatchObject({
        code: "CKPT_IO",
        details: { published: true },
      });
      expect(failing.count("open")).toBe(1);
      expect(await readFile(path, "utf8")).toBe("data");
    }
  });

  it("names the temporary file that it could not remove, beside the first error", async () => {
    const root = await tempDirectory();
    const failing = new FailingFs((op) =>
      op === "write" ? "ENOSPC" : op === "unlink" ? "EACCES" : undefined,
    );
    const error = await writeAtomic(join(root, "file"), "x", { fs: failing.fs, retry: false }).catch(
      (e: unknown) => e,
    );
    const [left] = await readdir(root);
    expect(error).toMatchObject({
      code: "CKPT_NO_SPACE",
      details: { leftBehind: join(root, left!), cleanup: expect.stringContaining("EACCES") },
    });
  });

  it("stops at the next chunk when the signal fires, and leaves nothing", async () => {
    const root = await tempDirectory();
    const controller = new AbortController();
    let chunks = 0;
    const endless = async function* () {
      while (true) {
        if (++chunks === 5) controller.abort();
        yield Buffer.alloc(1000);
      }
    };
    const writing = writeAtomic(join(root, "file"), () => endless(), {
      signal: controller.signal,
      chunkBytes: 1000,
      fallback: [join(root, "other")],
    });
    await expect(writing).rejects.toMatchObject({ code: "CKPT_ABORTED" });
    expect(chunks).toBeLessThan(10);
    expect(await readdir(root)).toEqual([]);
    await expect(writeAtomic(join(root, "file"), "x", { signal: controller.signal })).rejects.toMatchObject({
      code: "CKPT_ABORTED",
    });
  });

  it("hands the error of the stream on and leaves the old file", async () => {
    const path = join(await tempDirectory(), "file");
    await writeFile(path, "old");
    const broken = async function* (): AsyncGenerator<Uint8Array> {
      yield Buffer.from("half");
      throw new Error("the stream broke");
    };
    await expect(writeAtomic(path, broken())).rejects.toMatchObject({
      cause: { message: "the stream broke" },
    });
    await expect(writeAtomic(path, () => ["text" as unknown as Uint8Array])).rejects.toMatchObject({
      code: "CKPT_INVALID_ARGUMENT",
    });
    expect(await readFile(path, "utf8")).toBe("old");
  });

  it("lets readers see the old bytes or the new, never neither", async () => {
    const path = join(await tempDirectory(), "file");
    await writeAtomic(path, "a".repeat(50_000));
    let isWriting = true;
    const writing = (async () => {
      for (let i = 0; i < 60; i++) await writeAtomic(path, (i % 2 ? "a" : "b").repeat(50_000));
      isWriting = false;
    })();
    let reads = 0;
    while (isWriting) {
      const seen = await readFile(path, "utf8");
      expect(seen.length === 50_000 && /^(a+|b+)$/.test(seen)).toBe(true);
      reads++;
    }
    await writing;
    expect(reads).toBeGreaterThan(5);
  });
});

describe("writeAtomic beside a sweep that takes its temporary file for left behind", () => {
  /** Removes the temporary file before it gets its name, `times` times. */
  const sweptBefore = (operation: "rename" | "link", times: number) => {
    let left = times;
    return {
      ...nodeFileSystem,
      [operation]: async (from: string, to: string) => {
        if (left-- > 0) await rm(from);
        await nodeFileSystem[operation](from, to);
      },
    };
  };

  it.each([false, true])("writes it anew, exclusive %s", async (exclusive) => {
    const root = await tempDirectory();
    const fs = sweptBefore(exclusive ? "link" : "rename", 2);
    await writeAtomic(join(root, "file"), "data", { fs, exclusive, ...fast });
    expect(await readFile(join(root, "file"), "utf8")).toBe("data");
    expect(await readdir(root)).toEqual(["file"]);
  });

  it("says what happened when it gives up, or when the data could be read only once", async () => {
    const root = await tempDirectory();
    const fs = sweptBefore("rename", Number.POSITIVE_INFINITY);
    for (const [data, attempts] of [
      ["data", 5],
      [stream("data"), 1],
    ] as const) {
      await expect(writeAtomic(join(root, "file"), data, { fs, ...fast })).rejects.toMatchObject({
        code: "CKPT_NOT_FOUND",
        hint: "Look at what removes files from this directory.",
        details: { tempLost: true, attempts },
      });
    }
    expect(await readdir(root)).toEqual([]);
  });

  it("succeeds when the temporary name goes after the file was published", async () => {
    const root = await tempDirectory();
    const fs = {
      ...nodeFileSystem,
      link: async (from: string, to: string) => {
        await nodeFileSystem.link(from, to);
        await rm(from);
      },
    };
    await writeAtomic(join(root, "file"), "data", { fs, exclusive: true });
    expect(await readdir(root)).toEqual(["file"]);
  });
});
