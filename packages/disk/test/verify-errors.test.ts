import { rm, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { DiskStore } from "@ckpt/disk";
import { expect, it } from "vitest";
import { codeOf, findingsOf, freshDirectory, saveAll } from "./support/store.js";

it("verify rejects with a typed error when a file of the store is a planted link", async () => {
  const directory = await freshDirectory();
  const writer = new DiskStore(directory);
  await writer.acquire("a");
  await saveAll(writer, "a", 2, (n) => ({ n }));
  await writer.close();
  await writeFile(`${directory}-outside`, "someone else's");
  await rm(path.join(directory, "FORMAT"));
  await symlink(`${directory}-outside`, path.join(directory, "FORMAT"));
  const store = new DiskStore(directory);
  expect(await codeOf(findingsOf(store))).toMatch(/^CKPT_/);
  await store.close();
});
