import { writeFile } from "node:fs/promises";
import path from "node:path";
import { DiskStore } from "@ckpt/disk";
import { nodeFileSystem } from "@ckpt/io";
import { expect, it } from "vitest";
import { encodeCheckedJson } from "../src/checked-json.js";
import { codeOf, filesOf, freshDirectory, put, saveAll } from "./support/store.js";

it("discards what was compacted from a list of segments that someone else has replaced meanwhile", async () => {
  const directory = await freshDirectory();
  let armed = false;
  const manifest = encodeCheckedJson({ format: 1, number: 1, replaced: [], outputs: [] });
  const open: typeof nodeFileSystem.open = async (file, options) => {
    if (armed && file.endsWith(".seg") && options.create === "exclusive") {
      armed = false;
      await writeFile(path.join(directory, "manifests", "00000001.json"), manifest);
    }
    return nodeFileSystem.open(file, options);
  };
  const store = new DiskStore(directory, { fs: { ...nodeFileSystem, open }, autoCompact: false });
  await store.acquire("a");
  await saveAll(store, "a", 4, (i) => ({ i }));
  armed = true;
  expect(await codeOf(store.compact())).toBe("CKPT_CONFLICT");
  expect([...(await filesOf(directory)).keys()].filter((name) => name.endsWith(".seg"))).toHaveLength(1);
  expect((await store.load("a", "a:3")).toValue()).toEqual({ i: 3 });
  await store.commit([put("a", 5, { i: 5 })]);
  await store.compact();
  expect(await store.list("a")).toHaveLength(5);
  await store.close();
});
