import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CkptError } from "@ckpt/errors";
import { errnoError, readWithFallbacks, retry, withFallbacks } from "@ckpt/io";
import { describe, expect, it } from "vitest";
import { FailingFs } from "./support/failing-fs.js";
import { tempDirectory } from "./support/temp-directory.js";

const full = () => errnoError("ENOSPC", "write", "/p", "for a test");

describe("withFallbacks", () => {
  it("uses the first place that works and reports those before", async () => {
    const told: string[] = [];
    const result = await withFallbacks(
      ["a", "b", "c"],
      async (place) => {
        if (place !== "c") throw full();
        return 7;
      },
      { onFallback: (failed, next) => told.push(`${failed.place} ${failed.error.code} -> ${next}`) },
    );
    expect(result).toMatchObject({
      value: 7,
      place: "c",
      tried: [{ place: "a", attempts: 1 }, { place: "b" }],
    });
    expect(told).toEqual(["a CKPT_NO_SPACE -> b", "b CKPT_NO_SPACE -> c"]);
  });

  it("counts the tries of a retry within a place", async () => {
    const failing = withFallbacks(["a", "b"], () =>
      retry(() => Promise.reject(errnoError("EBUSY", "open", "/p", "")), { tries: 3, baseDelayMs: 1 }),
    );
    await expect(failing).rejects.toMatchObject({
      code: "CKPT_ALL_FAILED",
      details: {
        tried: [
          { place: "a", attempts: 3 },
          { place: "b", attempts: 3 },
        ],
      },
    });
  });

  it("throws the error itself where there is one place only, and refuses none at all", async () => {
    await expect(withFallbacks(["a"], () => Promise.reject(full()))).rejects.toMatchObject({
      code: "CKPT_NO_SPACE",
    });
    await expect(withFallbacks([], async () => 1)).rejects.toMatchObject({ code: "CKPT_INVALID_ARGUMENT" });
  });

  it.each(["CKPT_CONFLICT", "CKPT_ABORTED", "CKPT_FENCED", "CKPT_CLOSED"])(
    "asks no other place after %s",
    async (code) => {
      const asked: string[] = [];
      const error = new CkptError(code, { message: "m" });
      const failing = withFallbacks(["a", "b"], (place) => {
        asked.push(place);
        return Promise.reject(error);
      });
      await expect(failing).rejects.toBe(error);
      expect(asked).toEqual(["a"]);
    },
  );

  it("asks no further place once the signal has fired", async () => {
    const controller = new AbortController();
    const asked: string[] = [];
    const failing = withFallbacks(
      ["a", "b"],
      (place) => {
        asked.push(place);
        controller.abort();
        return Promise.reject(full());
      },
      { signal: controller.signal },
    );
    await expect(failing).rejects.toMatchObject({ code: "CKPT_ABORTED" });
    expect(asked).toEqual(["a"]);
  });
});

describe("readWithFallbacks", () => {
  it("reads the first path that is there and passes, and says what was wrong with the others", async () => {
    const root = await tempDirectory();
    const [none, bad, good] = [join(root, "none"), join(root, "bad"), join(root, "good")];
    await writeFile(bad, "damaged");
    await writeFile(good, "right");
    const result = await readWithFallbacks([none, bad, good], {
      verify: (bytes) => {
        if (String(bytes) !== "right") throw new CkptError("CKPT_CORRUPT", { message: "not right" });
      },
    });
    expect(String(result.value)).toBe("right");
    expect(result.place).toEqual({ path: good, method: "whole" });
    expect(result.tried.map(({ error }) => error.code)).toEqual([
      "CKPT_NOT_FOUND",
      "CKPT_NOT_FOUND",
      "CKPT_CORRUPT",
      "CKPT_CORRUPT",
    ]);
  });

  it("reads in small pieces what cannot be read whole", async () => {
    const path = join(await tempDirectory(), "file");
    const bytes = Buffer.alloc(300_000, 5);
    await writeFile(path, bytes);
    let reads = 0;
    const failing = new FailingFs((operation) => (operation === "read" && ++reads === 1 ? "EIO" : undefined));
    const result = await readWithFallbacks([path], { fs: failing.fs });
    expect(result.place.method).toBe("pieces");
    expect(Buffer.from(result.value).equals(bytes)).toBe(true);
  });

  it("takes no directory for an empty file, and goes on to the next path", async () => {
    const root = await tempDirectory();
    await writeFile(join(root, "good"), "right");
    const result = await readWithFallbacks([root, join(root, "good")]);
    expect(String(result.value)).toBe("right");
    expect(result.tried.map(({ error }) => error.code)).toEqual(["CKPT_UNSUPPORTED", "CKPT_UNSUPPORTED"]);
  });

  it.runIf(process.platform === "linux")(
    "reads what says it has 0 bytes whole, within the limit",
    async () => {
      const { value, place } = await readWithFallbacks(["/proc/cpuinfo"], {
        verify: (bytes) => {
          if (bytes.length === 0) throw new CkptError("CKPT_CORRUPT", { message: "empty" });
        },
      });
      expect(place.method).toBe("whole");
      expect(String(value)).toContain("processor");
      await expect(readWithFallbacks(["/proc/cpuinfo"], { maxBytes: 10 })).rejects.toMatchObject({
        code: "CKPT_ALL_FAILED",
        details: { tried: [{ code: "CKPT_LIMIT" }, { code: "CKPT_LIMIT" }] },
      });
    },
  );

  it("takes no more into memory than allowed, either way", async () => {
    const path = join(await tempDirectory(), "file");
    await writeFile(path, Buffer.alloc(1000));
    await expect(readWithFallbacks([path], { maxBytes: 999 })).rejects.toMatchObject({
      code: "CKPT_ALL_FAILED",
      details: { tried: [{ code: "CKPT_LIMIT" }, { code: "CKPT_LIMIT" }] },
    });
  });
});
