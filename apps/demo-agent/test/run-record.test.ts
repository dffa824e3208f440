import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readFlags } from "../src/parent/flags.js";
import { openRun } from "../src/parent/run-record.js";
import { scratch } from "./scratch.js";

const defaults = (runsDirectory: string) => ({ runsDirectory, folder: "/repository", seed: 7 });

describe("the directory of a run", () => {
  it("is fresh by default, and the newest one is resumed with what it was started with", async () => {
    const runs = join(await scratch(), "runs");
    const first = await openRun(readFlags(["--seed", "3"]), defaults(runs));
    expect(first).toMatchObject({ resumed: false, record: { folder: "/repository", seed: 3 } });
    expect(await readdir(runs)).toHaveLength(1);
    const again = await openRun(readFlags(["--resume"]), defaults(runs));
    expect(again).toEqual({ ...first, resumed: true });
    const elsewhere = await openRun(readFlags(["--resume", "--folder", "/other"]), defaults(runs));
    expect(elsewhere.record).toMatchObject({ folder: "/other", seed: 3 });
  });

  it("is never one that holds something else, and nothing there is changed", async () => {
    const taken = await scratch({ "thesis.txt": "important" });
    const opening = openRun(readFlags(["--store", taken]), defaults(taken));
    await expect(opening).rejects.toMatchObject({ code: "CKPT_CONFLICT" });
    expect(await readdir(taken)).toEqual(["thesis.txt"]);
    expect(await readFile(join(taken, "thesis.txt"), "utf8")).toBe("important");
  });

  it("is not overwritten by a second run", async () => {
    const store = join(await scratch(), "run");
    const flags = readFlags(["--store", store]);
    await openRun(flags, defaults(store));
    await expect(openRun(flags, defaults(store))).rejects.toMatchObject({
      code: "CKPT_CONFLICT",
      hint: expect.stringContaining("--resume"),
    });
  });

  it("must exist and be readable to be resumed", async () => {
    const empty = await scratch();
    const other = await scratch({ "run.json": '{"format": 99}' });
    const file = await scratch({ file: "x" });
    await expect(openRun(readFlags(["--resume"]), defaults(empty))).rejects.toMatchObject({
      code: "CKPT_NOT_FOUND",
    });
    await expect(openRun(readFlags(["--resume", "--store", empty]), defaults(empty))).rejects.toMatchObject({
      code: "CKPT_NOT_FOUND",
    });
    await expect(openRun(readFlags(["--resume", "--store", other]), defaults(empty))).rejects.toMatchObject({
      code: "CKPT_CORRUPT",
    });
    await expect(openRun(readFlags(["--store", join(file, "file")]), defaults(empty))).rejects.toMatchObject({
      code: "CKPT_INVALID_ARGUMENT",
    });
  });
});
