import { DiskStore } from "@ckpt/disk";
import { nodeFileSystem } from "@ckpt/io";
import { expect, it } from "vitest";
import { freshDirectory, put, saveAll } from "./support/store.js";

/** A store that shares nothing with the others of this process, as one in another process would. */
const apart = (directory: string) =>
  new DiskStore(directory, { fs: { ...nodeFileSystem }, autoCompact: false });

it("finds checkpoints that others have moved twice since the agent was taken", async () => {
  const directory = await freshDirectory();
  const first = apart(directory);
  await first.acquire("a");
  await saveAll(first, "a", 3, (i) => ({ i, text: "t".repeat(500) }));
  await first.close();

  const holder = apart(directory);
  await holder.acquire("a");
  await holder.commit([put("a", 4, { i: 4 })]);
  for (let i = 0; i < 2; i++) {
    const other = apart(directory);
    await other.acquire(`b${i}`);
    await other.commit([put(`b${i}`, 1, { i })]);
    await other.compact();
    await other.close();
  }
  expect((await holder.load("a", "a:2")).toValue()).toMatchObject({ i: 2 });
  expect(holder.takeFindings()).toEqual([]);
  await holder.close();
});
