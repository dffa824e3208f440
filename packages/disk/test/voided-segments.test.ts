import { FaultPlan, FaultyFileSystem } from "@ckpt/conformance";
import { DiskStore } from "@ckpt/disk";
import { readFully } from "@ckpt/io";
import { expect, it } from "vitest";
import { codeOf, put } from "./support/store.js";

const options = { autoCompact: false, reserveBytes: 0 };

/** A dead writer whose first segment holds four rejected saves, which only its second one voids. */
async function ghosts() {
  const faults = new FaultPlan();
  const fs = new FaultyFileSystem({ faults });
  const store = new DiskStore("/store", { fs, ...options });
  await store.acquire("a");
  await store.commit([put("a", 1, { text: "the first" })]);
  // The bytes reach the disk, every one of them, and each write reports a failure.
  for (let k = 1; k <= 12; k++) faults.failSync({ at: faults.syncs + k, afterDoing: true });
  const rejected = [2, 3, 4, 5].map((i) => put("a", i, { text: `rejected ${i}` }));
  expect(await codeOf(store.commit(rejected))).toBe("CKPT_IO");
  faults.heal();
  await store.commit([put("a", 2, { text: "acknowledged" })]);
  await store.commit([put("a", 3, { text: "the last" })]);
  await store.close();
  const directory = `/store/writers/${(await fs.readdir("/store/writers"))[0]}`;
  const segments = (await fs.readdir(directory)).filter((name) => name.endsWith(".seg"));
  expect(segments).toHaveLength(2);
  return { fs, first: `${directory}/${segments[0]}`, second: `${directory}/${segments[1]}` };
}

async function damage(fs: FaultyFileSystem, file: string, text: string): Promise<void> {
  const handle = await fs.open(file, { access: "readWrite" });
  const { size } = await handle.stat();
  const bytes = Buffer.alloc(size);
  await readFully(handle, bytes, 0, size, 0);
  const at = bytes.indexOf(text);
  await handle.write([Buffer.of(bytes[at]! ^ 1)], at);
  await handle.close();
}

async function expectTexts(fs: FaultyFileSystem, texts: { readonly [id: string]: string }): Promise<void> {
  const store = new DiskStore("/store", { fs: fs.process(), ...options });
  const found: Record<string, unknown> = {};
  for (const { id } of await store.list("a")) found[id] = (await store.load("a", id)).toValue();
  const wanted = Object.entries(texts).map(([id, text]) => [id, { text }]);
  expect(found).toEqual(Object.fromEntries(wanted));
  await store.close();
}

it("keeps rejected saves from coming back when repair takes away the segment that voids them", async () => {
  const { fs, second } = await ghosts();
  await damage(fs, second, "the last");
  const store = new DiskStore("/store", { fs: fs.process(), ...options });
  expect((await store.repair()).lostIds).toEqual(["a:3"]);
  await store.close();
  await expectTexts(fs, { "a:1": "the first", "a:2": "acknowledged" });
});

it("keeps rejected saves from coming back when compaction leaves their segment where it is", async () => {
  const { fs, first } = await ghosts();
  await damage(fs, first, "the first");
  // A hint would still name the damaged one. Whether a segment whose write failed has got one is a matter of time.
  await fs.unlink(first.replace(/seg$/, "hint")).catch(() => undefined);
  const store = new DiskStore("/store", { fs: fs.process(), ...options });
  await store.compact();
  await expectTexts(fs, { "a:2": "acknowledged", "a:3": "the last" });
  await store.repair();
  await store.compact();
  await store.close();
  expect((await fs.readdir("/store/writers")).length).toBe(1);
  await expectTexts(fs, { "a:2": "acknowledged", "a:3": "the last" });
});
