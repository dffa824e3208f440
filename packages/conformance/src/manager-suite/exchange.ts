import { describe, expect, it } from "vitest";
import { type ManagerUnderTest, opener, rejection } from "./bench.js";

const entry = (id: string, data: unknown, more: object = {}) => ({
  id,
  name: "a",
  timestamp: "2026-01-31T09:00:00+00:00",
  data,
  ...more,
});
const text = (...entries: unknown[]) => JSON.stringify(entries);

/** export and importCheckpoints. */
export function exchange(subject: ManagerUnderTest): void {
  describe("export and import", () => {
    const open = opener(subject);

    it("writes the reference's form, and reads it back equal in states, metadata, times and order", async () => {
      const manager = await open<unknown>({ sessionId: "s" });
      const states = [
        { plain: [1, "two", null, true, { deep: [] }], empty: {} },
        { nan: Number.NaN, zero: -0, big: 2n ** 64n, huge: 2 ** 60, far: 1e300 },
        {
          when: new Date(7),
          map: new Map([[1, new Set(["x"])]]),
          small: 5n,
          gone: undefined,
          nan: Number.NaN,
        },
        { $ckpt: "Date", v: 1, $$ckpt: null },
        { $ckpt: "number", v: "NaN", when: new Date(Number.NaN) },
        JSON.parse('{"__proto__": [1], "lone": "\\ud800", "": 0}'),
        { bytes: new Uint8Array(2000).map((_, i) => i), buffer: Buffer.from([1, 2]) },
        "text",
        [Number.POSITIVE_INFINITY],
        -(2n ** 70n),
        0n,
      ];
      for (const [i, state] of states.entries())
        await manager.create(`step ${i % 2}`, state, { i, nested: { list: [1, null] } });
      const exported = await manager.export();
      const other = await open<unknown>({ sessionId: "s" });
      expect(await other.importCheckpoints(exported)).toBe(states.length);
      const before = await manager.getAll();
      const after = await other.getAll();
      const fields = ({ id, name, timestamp, metadata, stateHash, sequence }: (typeof after)[number]) => ({
        id,
        name,
        timestamp,
        metadata,
        stateHash,
        sequence,
      });
      expect(after.map(fields)).toEqual(before.map(fields));
      for (const [i, checkpoint] of after.entries()) expect(await checkpoint.data()).toStrictEqual(states[i]);
      expect(await other.export()).toBe(exported);
    });

    it("writes entries that have the reference's five fields first, and no others for plain states", async () => {
      const manager = await open({ sessionId: "s", clock: () => Date.UTC(2026, 0, 31, 9) });
      await manager.create("a", { n: 1, none: [] }, { by: "me" });
      expect(await manager.export()).toBe(
        `[
  {
    "id": "s:1",
    "name": "a",
    "timestamp": "2026-01-31T09:00:00+00:00",
    "data": {
      "n": 1,
      "none": []
    },
    "metadata": {
      "by": "me"
    }
  }
]`,
      );
    });

    it("takes missing metadata and unknown fields, as the reference does", async () => {
      const manager = await open<unknown>({ sessionId: "s" });
      expect(await manager.importCheckpoints(text(entry("s:1", { n: 1 }, { extra: 1 })))).toBe(1);
      expect((await manager.get("s:1"))?.metadata).toEqual({});
    });

    it("former defect: an import never makes two checkpoints share an id", async () => {
      const manager = await open<unknown>({ sessionId: "s" });
      await manager.create("a", "mine");
      const { code, error } = await rejection(
        manager.importCheckpoints(text(entry("s:2", 2), entry("s:1", "other"))),
      );
      expect(code).toBe("CKPT_CONFLICT");
      expect(error).toMatchObject({ details: { checkpointId: "s:1", sameState: false } });
      expect((await manager.getAll()).map(({ id }) => id)).toEqual(["s:1"]);
      const twice = await rejection(manager.importCheckpoints(text(entry("s:5", 1), entry("s:5", 2))));
      expect(twice.code).toBe("CKPT_CONFLICT");
      expect(await manager.length).toBe(1);
    });

    it("former defect: ids of later creates never meet imported ones", async () => {
      const all = Number.POSITIVE_INFINITY;
      const manager = await open<unknown>({ sessionId: "s", maxCheckpoints: all, compressAfter: all });
      // As a thinned history has them: few checkpoints, high numbers, and one out of order.
      const ids = ["s:1", "s:40", "s:12", "other:3", "s:041"];
      expect(await manager.importCheckpoints(text(...ids.map((id) => entry(id, id))))).toBe(5);
      const created = [];
      for (let i = 0; i < 60; i++) created.push((await manager.create("new", i)).id);
      expect(new Set([...ids, ...created]).size).toBe(65);
      expect(created[0]).toBe("s:44");
      expect(await (await manager.get("s:40"))?.data()).toBe("s:40");
    });

    it("gives newcomers ids of their own with renumber", async () => {
      const manager = await open<unknown>({ sessionId: "s" });
      await manager.create("a", "mine");
      const json = text(entry("s:1", "other"), entry("s:2", 2), entry("s:2", 22), entry("s:3", 3));
      expect(await manager.importCheckpoints(json, { onConflict: "renumber" })).toBe(4);
      const all = await manager.getAll();
      expect(new Set(all.map(({ id }) => id)).size).toBe(5);
      expect(await Promise.all(all.map((checkpoint) => checkpoint.data()))).toEqual([
        "mine",
        "other",
        2,
        22,
        3,
      ]);
      expect((await manager.create("a", 4)).sequence).toBeGreaterThan(all.at(-1)!.sequence);
    });

    it("passes over what is there already with skip, and refuses another state under the same id", async () => {
      const manager = await open<unknown>({ sessionId: "s" });
      await manager.create("a", { n: 1 });
      const exported = await manager.export();
      await manager.create("a", { n: 2 });
      expect(await manager.importCheckpoints(exported, { onConflict: "skip" })).toBe(0);
      const json = text(entry("s:1", { n: 1 }), entry("s:9", 9));
      expect(await manager.importCheckpoints(json, { onConflict: "skip" })).toBe(1);
      const { code } = await rejection(
        manager.importCheckpoints(text(entry("s:1", { n: 7 })), { onConflict: "skip" }),
      );
      expect(code).toBe("CKPT_CONFLICT");
      expect(await manager.length).toBe(3);
    });

    it("leaves the head where it is, and makes the last one the head of an empty history", async () => {
      const manager = await open<unknown>({ sessionId: "s" });
      await manager.importCheckpoints(text(entry("s:1", 1), entry("s:2", 2)));
      const mine = await manager.create("a", "mine");
      expect(mine.parentId).toBe("s:2");
      await manager.importCheckpoints(text(entry("x:1", 1)));
      expect((await manager.create("a", "next")).parentId).toBe(mine.id);
    });

    it("keeps an import between the calls around it", async () => {
      const manager = await open<unknown>({ sessionId: "s" });
      const [before, count, after] = await Promise.all([
        manager.create("a", "before"),
        manager.importCheckpoints(text(entry("x:1", 1), entry("x:2", 2))),
        manager.create("a", "after"),
      ]);
      expect([before.sequence, count, after.sequence]).toEqual([1, 2, 4]);
      expect(after.parentId).toBe(before.id);
    });

    it("refuses an unknown way to resolve conflicts", async () => {
      const manager = await open<unknown>({ sessionId: "s" });
      const { code } = await rejection(manager.importCheckpoints("[]", { onConflict: "overwrite" as never }));
      expect(code).toBe("CKPT_INVALID_ARGUMENT");
    });

    it("keeps timestamps byte for byte, and finds by them", async () => {
      const manager = await open<unknown>({ sessionId: "s" });
      const times = [
        "2026-01-31T14:30:00.000250+05:30",
        "2026-01-31T09:00:00.000251+00:00",
        "2026-01-31 09:00:00Z",
      ];
      await manager.importCheckpoints(
        text(...times.map((timestamp, i) => entry(`s:${i + 1}`, i, { timestamp }))),
      );
      expect((await manager.getAll()).map(({ timestamp }) => timestamp)).toEqual(times);
      const found = await manager.getSince("2026-01-31T09:00:00.000250Z");
      expect(found.map(({ id }) => id)).toEqual(["s:2"]);
    });

    it.each([
      ["malformed text", '[\n  {"id": }]', { line: 2, column: 10, offset: 11 }],
      ["text behind the end", "[] x", { line: 1, column: 4 }],
      ["no text at all", "", { line: 1, column: 1 }],
      ["a control character in a string", '["\u0001"]', { line: 1, column: 3 }],
      ["an unknown escape", '["\\x"]', { line: 1, column: 3 }],
      ["a comma at the end", "[1,]", { line: 1, column: 4 }],
      ["not a list", "{}", {}],
      ["an entry that is no object", "[1]", { path: "[0]" }],
      ["a number as id", text(entry(1 as never, 1)), { path: "[0].id" }],
      ["an empty id", text(entry("", 1)), { path: "[0]", rule: "non-empty" }],
      ["an id with NUL", text(entry("a\u0000", 1)), { rule: "control" }],
      ["an empty name", text(entry("s:1", 1, { name: "" })), { rule: "non-empty" }],
      ["no data", '[{"id": "s:1", "name": "a", "timestamp": "2026-01-31T09:00:00Z"}]', { path: "[0].data" }],
      [
        "a time without offset",
        text(entry("s:1", 1, { timestamp: "2026-01-31T09:00:00" })),
        { path: "[0].timestamp" },
      ],
      [
        "the 30th of February",
        text(entry("s:1", 1, { timestamp: "2026-02-30T09:00:00Z" })),
        { path: "[0].timestamp" },
      ],
      ["a bad last entry", text(entry("s:1", 1), entry("s:2", 2), { id: "s:3" }), { path: "[2].name" }],
      ["an unknown encoding", text(entry("s:1", 1, { encoding: "other" })), { path: "[0].encoding" }],
      [
        "a forged tag",
        text(entry("s:1", { $ckpt: "Nonsense", v: 1 }, { encoding: "ckpt" })),
        { path: "[0]" },
      ],
    ])("refuses %s by its place, and takes nothing in", async (_, json, details) => {
      const manager = await open<unknown>({ sessionId: "s" });
      const { code, error } = await rejection(manager.importCheckpoints(json));
      expect(code).toBe("CKPT_INVALID_IMPORT");
      expect(error).toMatchObject({ details });
      expect(await manager.length).toBe(0);
      expect((await manager.create("a", 1)).id).toBe("s:1");
    });

    it("bounds depth, integers, length and numbers in ids", async () => {
      const manager = await open<unknown>({ sessionId: "s" });
      const deep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
      expect((await rejection(manager.importCheckpoints(deep))).code).toBe("CKPT_LIMIT");
      expect((await rejection(manager.importCheckpoints(`[${"9".repeat(5000)}]`))).code).toBe("CKPT_LIMIT");
      expect((await rejection(manager.importCheckpoints("[ ]", { maxCharacters: 2 }))).code).toBe(
        "CKPT_LIMIT",
      );
      const last = text(entry(`s:${Number.MAX_SAFE_INTEGER}`, 1));
      expect((await rejection(manager.importCheckpoints(last))).code).toBe("CKPT_LIMIT");
      expect((await rejection(manager.importCheckpoints(7 as never))).code).toBe("CKPT_INVALID_ARGUMENT");
      expect(await manager.length).toBe(0);
    });

    it("carries versions along, and refuses a newer one before anything is taken in", async () => {
      const source = await open<unknown>({ sessionId: "s", version: 2 });
      await source.create("a", { n: 1 });
      const exported = await source.export();
      expect(exported).toContain('"schema_version": 2');
      const migrations = { 2: (state: object) => ({ ...state, plan: [] }) };
      const newer = await open<unknown>({ sessionId: "s", version: 3, migrations });
      await newer.importCheckpoints(exported);
      expect(await (await newer.getLatest())?.data()).toEqual({ n: 1, plan: [] });
      const older = await open<unknown>({ sessionId: "s" });
      expect((await rejection(older.importCheckpoints(exported))).code).toBe("CKPT_NEWER_VERSION");
      expect(await older.length).toBe(0);
    });

    it("does not take __proto__ for anything but data", async () => {
      const manager = await open<unknown>({ sessionId: "s" });
      await manager.importCheckpoints(
        '[{"id":"s:1","name":"a","timestamp":"2026-01-31T09:00:00Z","data":{"__proto__":{"polluted":1}},"metadata":{"__proto__":2},"__proto__":{"name":"x"}}]',
      );
      const found = await manager.get("s:1");
      expect(Object.keys((await found?.data()) as object)).toEqual(["__proto__"]);
      expect(Object.keys(found!.metadata)).toEqual(["__proto__"]);
      expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
    });
  });
}
