import { describe, expect, it } from "vitest";
import { codeOf, everything, ids, put, remove, type StoreBench } from "./bench.js";

/** The same put twice is one checkpoint; another one under its id is refused. */
export function conflicts(bench: StoreBench): void {
  describe("conflicts and retries", () => {
    bench.closeAfterEach();

    it("takes the same put again for the same checkpoint, and changes nothing", async () => {
      const store = await bench.open("a");
      const first = put("a", 1, { n: 1 });
      const [header] = (await store.commit([first])).headers;
      await store.commit([put("a", 2, { n: 2 })]);
      const before = await everything(store, "a");
      const again = await store.commit([put("a", 1, { n: 1 })]);
      expect(again.headers).toEqual([header]);
      expect(again.durability).toBe(store.supports.durable ? "durable" : "volatile");
      expect(await everything(store, "a")).toEqual(before);
      expect(before.agent?.headId).toBe("a:2");
      const reopened = await bench.reopen(store, "a");
      expect((await reopened.commit([first])).headers).toEqual([header]);
      expect(await everything(reopened, "a")).toEqual(before);
    });

    it("keeps the header of the first, whatever else the same put says when it comes again", async () => {
      const store = await bench.open("a");
      const [header] = (await store.commit([put("a", 1, { n: 1 }, { metadata: { try: 1 } })])).headers;
      const other = {
        name: "later",
        timestamp: "2001-01-01T00:00:00.000Z",
        parentId: "a:7",
        metadata: { try: 2 },
        schemaVersion: 9,
      };
      const again = await store.commit([put("a", 1, { n: 1 }, other)]);
      expect(again.headers).toEqual([header]);
      await bench.beforeAndAfterReopening(store, async (state) => {
        expect(await state.list("a")).toEqual([header]);
        expect(await ids(state, "a", { name: "later" })).toEqual([]);
      });
    });

    it("takes it so within one batch, and in calls that overlap", async () => {
      const store = await bench.open("a");
      const receipt = await store.commit([put("a", 1, { n: 1 }), put("a", 1, { n: 1 })]);
      expect(receipt.headers.map((header) => header.id)).toEqual(["a:1", "a:1"]);
      await Promise.all([1, 2, 3].map(() => store.commit([put("a", 2, { n: 2 })])));
      expect((await store.list("a")).length).toBe(2);
    });

    it("repeats a whole batch, and does the part of it that is new", async () => {
      const store = await bench.open("a");
      await store.commit([put("a", 1, { n: 1 }), put("a", 2, { n: 2 })]);
      await store.commit([put("a", 1, { n: 1 }), put("a", 2, { n: 2 }), put("a", 3, { n: 3 })]);
      expect((await store.list("a")).map((header) => header.sequence)).toEqual([1, 2, 3]);
    });

    it("refuses an id that has another state, or another sequence", async () => {
      const store = await bench.open("a");
      await store.commit([put("a", 1, { n: 1 })]);
      const before = await everything(store, "a");
      expect(await codeOf(store.commit([put("a", 1, { n: 2 })]))).toBe("CKPT_CONFLICT");
      expect(await codeOf(store.commit([put("a", 2, { n: 1 }, { id: "a:1" })]))).toBe("CKPT_CONFLICT");
      expect(await everything(store, "a")).toEqual(before);
    });

    it("gives errors that say what to do", async () => {
      const store = await bench.open("a");
      await store.commit([put("a", 1, { n: 1 })]);
      const error = await store.commit([put("a", 1, { n: 2 })]).catch((e: unknown) => e);
      expect(error).toMatchObject({
        name: "CkptError",
        code: "CKPT_CONFLICT",
        hint: expect.stringMatching(/\w/),
      });
      const missing = await store.load("a", "a:9").catch((e: unknown) => e);
      expect(missing).toMatchObject({
        name: "CkptError",
        code: "CKPT_NOT_FOUND",
        hint: expect.stringMatching(/\w/),
      });
    });

    it("does not bring a removed checkpoint back by a late retry", async () => {
      const store = await bench.open("a");
      await store.commit([put("a", 1, { n: 1 }), put("a", 2, { n: 2 })]);
      await store.commit([remove("a", "a:1")]);
      expect(await codeOf(store.commit([put("a", 1, { n: 1 })]))).toBe("CKPT_CONFLICT");
      expect((await store.list("a")).map((header) => header.id)).toEqual(["a:2"]);
    });
  });
}
