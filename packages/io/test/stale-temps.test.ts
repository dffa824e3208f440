import { readdir, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { removeStaleTemps, tempName } from "@ckpt/io";
import { describe, expect, it } from "vitest";
import { tempDirectory } from "./support/temp-directory.js";

/** A name that another process made. */
const foreignName = (digit: string) => `.ckpt-${digit.repeat(24)}.tmp`;

async function age(root: string, ...names: string[]): Promise<void> {
  const past = new Date(Date.now() - 2 * 3_600_000);
  for (const name of names) await utimes(join(root, name), past, past);
}

describe("removeStaleTemps", () => {
  it("removes old temporary files and nothing else", async () => {
    const root = await tempDirectory();
    const [old, fresh] = [foreignName("a"), foreignName("b")];
    for (const name of [old, fresh, "data", ".ckpt-short.tmp"]) await writeFile(join(root, name), "");
    await age(root, old, "data", ".ckpt-short.tmp");
    expect(await removeStaleTemps(root)).toEqual([old]);
    expect(await removeStaleTemps(root, { olderThanMs: 0 })).toEqual([fresh]);
    expect((await readdir(root)).sort()).toEqual([".ckpt-short.tmp", "data"]);
    await expect(removeStaleTemps(join(root, "none"))).rejects.toMatchObject({ code: "CKPT_NOT_FOUND" });
  });

  it("leaves those of this process, however old the clock makes them look, unless all are to go", async () => {
    const root = await tempDirectory();
    const [own, other] = [tempName(), foreignName("0")];
    for (const name of [own, other]) await writeFile(join(root, name), "");
    await age(root, own, other);
    expect(await removeStaleTemps(root)).toEqual([other]);
    expect(await removeStaleTemps(root, { olderThanMs: 0 })).toEqual([own]);
  });

  it.each([Number.NaN, -1])("refuses an age of %d, and removes nothing", async (olderThanMs) => {
    const root = await tempDirectory();
    await writeFile(join(root, foreignName("a")), "");
    await expect(removeStaleTemps(root, { olderThanMs })).rejects.toMatchObject({
      code: "CKPT_INVALID_ARGUMENT",
      details: { argument: "olderThanMs" },
    });
    expect(await readdir(root)).toEqual([foreignName("a")]);
  });
});
