import { describe, expect, it } from "vitest";
import { firstBatch } from "../src/parent/first-batch.js";
import { Sandbox } from "../src/tools/sandbox.js";
import { scratch } from "./scratch.js";

const files = Object.fromEntries(
  Array.from({ length: 14 }, (_, i) => [
    `src/file-${i}.ts`,
    `export const someName${i} = openStore(${i});\n`.repeat(40),
  ]),
);
const batch = async (contents: Readonly<Record<string, string>>, seed: number) =>
  await firstBatch(await Sandbox.open(await scratch(contents)), seed);

describe("the first batch of tasks", () => {
  it("is the same for the same files and seed, and another for another seed", async () => {
    expect(await batch(files, 3)).toEqual(await batch(files, 3));
    expect(await batch(files, 4)).not.toEqual(await batch(files, 3));
  });

  it("has every kind of task, in names that sort in order", async () => {
    const letters = await batch(files, 3);
    const names = letters.map((letter) => letter.name);
    expect([...names].sort()).toEqual(names);
    const kinds = new Set(letters.map((letter) => letter.text.split(" ", 1)[0]));
    expect([...kinds].sort()).toEqual(["Apply", "Count", "Find", "Outline"]);
  });

  it("asks for one name that is in no file", async () => {
    const letters = await batch(files, 3);
    const asked = letters.flatMap((letter) => /^Find "([^"]+)"/.exec(letter.text)?.[1] ?? []);
    const missing = asked.filter((name) => !Object.values(files).some((text) => text.includes(name)));
    expect(missing).toHaveLength(1);
  });

  it("has an edit plan of which only the second edit cannot work", async () => {
    const letter = (await batch(files, 3)).find((candidate) => candidate.text.startsWith("Apply"))!;
    const { edits } = JSON.parse(letter.text.slice(letter.text.indexOf("{"))) as {
      edits: { path: string; find: string }[];
    };
    expect(edits.map(({ path, find }) => files[path]!.includes(find))).toEqual([true, false, true]);
  });

  it("makes do with a single small file, and refuses a folder without text", async () => {
    expect((await batch({ "a.txt": "just a few words here" }, 1)).length).toBeGreaterThanOrEqual(4);
    expect((await batch({ "a.txt": "1" }, 1)).length).toBeGreaterThanOrEqual(1);
    await expect(batch({ "a.png": "x", "empty.txt": "" }, 1)).rejects.toMatchObject({
      code: "CKPT_NOT_FOUND",
    });
  });
});
