import { lstat, mkdir, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { DiskStore } from "@ckpt/disk";
import { encodeFrame, ZERO_CHAIN } from "@ckpt/io";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeCheckedJson } from "../src/checked-json.js";
import { encodeCommitHeader } from "../src/commit-record.js";
import { encodeSegmentHeader } from "../src/segment-header.js";
import { codeOf, findingsOf, freshDirectory, ifGone, put, saveAll } from "./support/store.js";

// Each run opens, takes, verifies and compacts a real directory.
const runs = Math.ceil(Number(process.env.CKPT_PROPERTY_RUNS ?? 300) / 10);
const writerId = "0123456789abcdefghjkmnpqrs";
const storeId = "5b0d0a3e-0000-4000-8000-000000000000";

/** A store with one segment of a writer that is gone, made of these commit headers and sections. */
async function forge(commits: readonly { header: Uint8Array; section?: Uint8Array }[]): Promise<string> {
  const directory = await freshDirectory();
  await mkdir(path.join(directory, "writers", writerId), { recursive: true });
  await writeFile(path.join(directory, "FORMAT"), encodeCheckedJson({ format: 1, storeId }));
  let previousChain: Uint8Array = ZERO_CHAIN;
  let offset = 0;
  const parts: Buffer[] = [];
  const add = (kind: number, body: Uint8Array) => {
    const { bytes, chain } = encodeFrame({ kind, offset, previousChain, body });
    parts.push(bytes);
    previousChain = chain;
    offset += bytes.length;
  };
  add(1, encodeSegmentHeader({ format: 1, storeId, writerId, number: 1, compacted: false, voids: [] }));
  for (const { header, section = new Uint8Array(0) } of commits) add(2, Buffer.concat([section, header]));
  await writeFile(path.join(directory, "writers", writerId, "00000001.seg"), Buffer.concat(parts));
  return directory;
}

const hash = "A".repeat(43);
const goodPut = ["p", "a", 1, 1, 1, 0, 0, hash, 10, "routine", "2026-01-01T00:00:00.000Z", 0, {}];

describe("hostile bytes", () => {
  it("in entries are damage, never an exception, a wrong header or pollution", async () => {
    const bad: unknown[][] = [
      [],
      ["p"],
      ["x", "a", 1, 1],
      ["p", "", 1, 1, 1, 0, 0, hash, 1, "n", "t", 0, {}],
      ["p", "a", -1, 1, 1, 0, 0, hash, 1, "n", "t", 0, {}],
      ["p", "a", 1, 1.5, 1, 0, 0, hash, 1, "n", "t", 0, {}],
      ["p", "a", 1, 1, 1e20, 0, 0, hash, 1, "n", "t", 0, {}],
      ["p", "a", 1, 1, 1, 2 ** 40, 0, hash, 1, "n", "t", 0, {}],
      ["p", "a", 1, 1, 1, 0, 0, "short", 1, "n", "t", 0, {}],
      ["p", "a", 1, 1, 1, 0, 0, hash, 1, "n", "t", 0, []],
      ["p", "a", 1, 1, 1, 0, 0, hash, 1, "n", "t", 0, null],
      ["p", "a", 1, 1, 1, 0, 0, hash, 1, {}, "t", 0, {}],
      ["p", "a", 1, 1, 1, 0, 0, hash, 1, "n", "t", {}, {}],
      ["r", "a", 1, 1, "a:1", "why"],
      ["r", "a", 1, 1, [{}], "why"],
      ["e", "a", 1, 1, { kind: "head" }],
      ["e", "a", 1, 1, { kind: "__proto__" }],
      ["s", "a", 1, 1, 1, [[0, 1]]],
      ["s", "a", 1, 1, 1, "x"],
    ];
    for (const entry of bad) {
      const directory = await forge([{ header: encodeCommitHeader([entry]) }]);
      const store = new DiskStore(directory);
      expect([entry, await store.list("a")]).toEqual([entry, []]);
      expect(store.takeFindings().map(({ kind }) => kind)).toEqual(["damaged"]);
      await store.close();
    }
  });

  it("in a chain never give a state", async () => {
    const directory = await forge([
      {
        header: encodeCommitHeader([[...goodPut.slice(0, 5), 5, ...goodPut.slice(6)]]),
        section: Buffer.from("junk!"),
      },
      { header: encodeCommitHeader([["p", "a", 1, 2, 2, 0, 7, hash, 10, "n", "t", 1, 0]]) },
    ]);
    const store = new DiskStore(directory);
    expect((await store.list("a")).map(({ id }) => id)).toEqual(["a:1", "a:2"]);
    for (const id of ["a:1", "a:2"]) expect(await codeOf(store.load("a", id))).toBe("CKPT_CORRUPT");
    expect(store.takeFindings().length).toBeGreaterThan(0);
    await store.close();
  });

  it("of any kind in place of a segment, hint, head, manifest, lease or FORMAT never throw anything untyped", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 300 }),
        fc.constantFrom("FORMAT", "heads", "manifest", "hint", "seg", "lease"),
        async (bytes, target) => {
          const directory = await forge([{ header: encodeCommitHeader([goodPut]) }]);
          const writer = path.join(directory, "writers", writerId);
          const files = {
            FORMAT: path.join(directory, "FORMAT"),
            heads: path.join(directory, "heads", `${writerId}.json`),
            manifest: path.join(directory, "manifests", "00000001.json"),
            hint: path.join(writer, "00000001.hint"),
            seg: path.join(writer, "00000001.seg"),
            lease: path.join(writer, "1.lease"),
          };
          await mkdir(path.dirname(files[target]), { recursive: true });
          await writeFile(files[target], bytes);
          const store = new DiskStore(directory);
          expect(await codeOf(store.list("a"))).toMatch(/^(none|CKPT_.*)$/);
          expect(await codeOf(findingsOf(store))).toMatch(/^(none|CKPT_.*)$/);
          expect(await codeOf(store.acquire("a"))).toMatch(/^(none|CKPT_.*)$/);
          expect(await codeOf(store.compact())).toMatch(/^(none|CKPT_.*)$/);
          await store.close();
          await rm(directory, { recursive: true });
        },
      ),
      { numRuns: runs },
    );
  }, 300_000);

  it("that claim huge lengths cost no memory", async () => {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(0xffff_ffff);
    const directory = await forge([{ header: length }]);
    const store = new DiskStore(directory);
    expect(await store.agents()).toEqual([]);
    expect(store.takeFindings()).toMatchObject([{ kind: "damaged" }]);
    await store.close();
  });
});

describe("a newer format", () => {
  it("is refused by name, in FORMAT and in a segment", async () => {
    const directory = await forge([]);
    await writeFile(path.join(directory, "FORMAT"), encodeCheckedJson({ format: 99, storeId }));
    const store = new DiskStore(directory);
    expect(await codeOf(store.agents())).toBe("CKPT_NEWER_VERSION");
    await store.close();
  });
});

describe("planted links and modes", () => {
  const directories = ["writers", "heads", "agents", "manifests", "maintenance", "quarantine"];

  it("refuses a symbolic link at every directory of the store, and writes nothing behind it", async () => {
    for (const name of directories) {
      const directory = await freshDirectory();
      const target = `${directory}-target`;
      await mkdir(directory, { recursive: true });
      await mkdir(target);
      await symlink(target, path.join(directory, name));
      const store = new DiskStore(directory);
      expect([name, await codeOf(store.acquire("a"))]).toEqual([name, "CKPT_UNSAFE_PATH"]);
      expect([name, await codeOf(store.agents())]).toEqual([name, "CKPT_UNSAFE_PATH"]);
      expect(await readdir(target)).toEqual([]);
      await store.close();
    }
  });

  it("takes a file, or a link that leads nowhere, for no empty store", async () => {
    const directory = await freshDirectory();
    await mkdir(directory, { recursive: true });
    const [file, dangling] = [path.join(directory, "file"), path.join(directory, "dangling")];
    await writeFile(file, "mine");
    await symlink(path.join(directory, "unmounted"), dangling);
    for (const [root, code] of [
      [file, "CKPT_CONFLICT"],
      [dangling, "CKPT_NOT_FOUND"],
    ] as const) {
      const store = new DiskStore(root);
      expect(await codeOf(store.agents())).toBe(code);
      expect(await codeOf(store.acquire("a"))).toBe(code);
      await store.close();
    }
    expect(await readFile(file, "utf8")).toBe("mine");
  });

  it("follows no link at a file: segments, hints, heads, manifests, FORMAT, agent directories", async () => {
    let directory = await freshDirectory();
    const outside = `${directory}-outside`;
    await mkdir(outside, { recursive: true });
    for (const name of ["manifests/00000001.json", "00000002.seg", "00000002.hint"]) {
      directory = await freshDirectory();
      const first = new DiskStore(directory);
      await first.acquire("a");
      await saveAll(first, "a", 3, (i) => ({ i }));
      await first.close();
      const [writer] = await readdir(path.join(directory, "writers"));
      const file = name.includes("/") ? name : `writers/${writer}/${name}`;
      await writeFile(path.join(outside, "bait"), "bait");
      await symlink(path.join(outside, "bait"), path.join(directory, file));
      const store = new DiskStore(directory);
      const code = await codeOf(store.load("a", "a:3"));
      expect([file, code]).toEqual([file, expect.stringMatching(/^(none|CKPT_.*)$/)]);
      await codeOf(store.acquire("a"));
      await codeOf(store.compact());
      await store.close();
      expect(await readdir(outside)).toEqual(["bait"]);
      await rm(path.join(directory, file), { force: true });
    }
    await symlink(outside, path.join(directory, "agents", "a.planted"));
    const store = new DiskStore(directory);
    expect(await codeOf(store.acquire("planted"))).toMatch(/^CKPT_/);
    expect(await readdir(outside)).toEqual(["bait"]);
    await store.close();
  });

  it("gives files 0600 and directories 0700, whatever the umask", async () => {
    const umask = process.umask(0);
    try {
      const directory = await freshDirectory();
      const store = new DiskStore(directory, { segmentBytes: 4096 });
      await store.acquire("a");
      await saveAll(store, "a", 30, (i) => ({ i, text: "x".repeat(200) }));
      await store.compact();
      await store.commit([put("a", 31, 1)]);
      for (const name of await readdir(directory, { recursive: true })) {
        const found = await lstat(path.join(directory, name)).catch(ifGone);
        if (found === undefined) continue; // a temporary file, which is in its place by now
        const { mode } = found;
        const isDirectory = (mode & 0o170000) === 0o040000;
        expect([name, (mode & 0o777).toString(8)]).toEqual([name, isDirectory ? "700" : "600"]);
      }
      await store.close();
    } finally {
      process.umask(umask);
    }
  });
});
