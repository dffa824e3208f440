import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { startChild } from "./support/child.js";
import { tempDirectory } from "./support/temp-directory.js";

describe("eight processes that race for one lease", () => {
  it.each([
    ["with OS locks", () => true],
    ["without OS locks", () => false],
    ["half of them with OS locks", (i: number) => i % 2 === 0],
  ])("never hold it together and see only rising epochs, %s", async (_name, osLocks) => {
    const root = await tempDirectory();
    const rounds = Number(process.env.CKPT_RACE_ROUNDS ?? 30);
    const directory = join(root, "lease");
    const children = await Promise.all(
      Array.from({ length: 8 }, (_, i) => startChild(["race", directory, String(rounds)], osLocks(i))),
    );
    await Promise.all(children.map((child) => child.exited));
    expect(children.flatMap(({ lines }) => lines)).toEqual(children.map(() => "done"));
    const epochs = (await readFile(join(root, "epochs"), "utf8")).trim().split("\n").map(Number);
    expect(epochs).toHaveLength(8 * rounds);
    expect(epochs.every((epoch, i) => i === 0 || epoch > epochs[i - 1]!)).toBe(true);
  });
});
