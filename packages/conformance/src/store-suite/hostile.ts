import { isCkptError } from "@ckpt/core";
import { describe, expect, it } from "vitest";
import { event, everything, ids, put, remove, type StoreBench } from "./bench.js";

/** Ids that a naive store would trip over, all of them ordinary text. */
const AWKWARD_IDS = [
  ".",
  "..",
  "../../etc/passwd",
  "/",
  "a/b",
  "a\\b",
  "CON",
  "nul",
  "aux.txt",
  "Agent",
  "agent",
  "AGENT",
  "é",
  "e\u0301",
  "__proto__",
  "constructor",
  "toString",
  "hasOwnProperty",
  " ",
  " padded ",
  "trailing.",
  ".hidden",
  "a:1",
  "a:b:c",
  "%2e%2e",
  "~",
  "*?<>|",
  "'; DROP TABLE agents; --",
  "😀",
  "ｆｕｌｌ",
  "-rf",
  "x".repeat(200),
];

/** Ids that no encoding makes harmless. */
const REFUSED_IDS = [
  "",
  "\0",
  "a\0b",
  "line\nbreak",
  "\u001b[2J",
  "\ud800",
  "x".repeat(300),
  "ü".repeat(150),
];

/** Input that means harm. */
export function hostile(bench: StoreBench): void {
  describe("hostile input", () => {
    bench.closeAfterEach();

    it("keeps awkward agent ids apart, in files and on the way back", async () => {
      const store = await bench.open(...AWKWARD_IDS);
      for (const agentId of AWKWARD_IDS) {
        await store.commit([
          put(agentId, 1, { agentId }, { id: "c" }),
          event(agentId, { kind: "note", topic: agentId, body: agentId }),
        ]);
      }
      const reopened = await bench.reopen(store);
      expect(await reopened.agents()).toEqual([...AWKWARD_IDS].sort());
      for (const agentId of AWKWARD_IDS) {
        expect((await reopened.load(agentId, "c")).toValue()).toEqual({ agentId });
        expect((await reopened.agent(agentId))?.agentId).toBe(agentId);
      }
    });

    it("keeps awkward checkpoint ids and names apart", async () => {
      const store = await bench.open("a");
      for (const [i, id] of AWKWARD_IDS.entries())
        await store.commit([put("a", i + 1, { id }, { id, name: id, parentId: id })]);
      const reopened = await bench.reopen(store, "a");
      expect(await ids(reopened, "a")).toEqual(AWKWARD_IDS);
      for (const id of AWKWARD_IDS) {
        expect((await reopened.load("a", id)).toValue()).toEqual({ id });
        expect(await ids(reopened, "a", { name: id })).toEqual([id]);
      }
      await reopened.commit([remove("a", "__proto__", "..")]);
      expect((await ids(reopened, "a")).length).toBe(AWKWARD_IDS.length - 2);
    });

    it("refuses ids that no encoding makes harmless, by a typed error, and changes nothing", async () => {
      const store = await bench.open("a");
      await store.commit([put("a", 1, { n: 1 })]);
      const before = await everything(store, "a");
      const refused = async (id: string, call: () => Promise<unknown>) => {
        const error = await call().then(
          () => "it did not reject",
          (e: unknown) => e,
        );
        expect([id, isCkptError(error)]).toEqual([id, true]);
      };
      for (const id of REFUSED_IDS) {
        await refused(id, () => store.acquire(id));
        await refused(id, () => store.commit([put(id, 1, { n: 1 }, { id: "c" })]));
        await refused(id, () => store.commit([event(id, { kind: "note", topic: "t", body: 1 })]));
      }
      expect(await store.agents()).toEqual(["a"]);
      expect(await everything(store, "a")).toEqual(before);
    });

    it("finds nothing under ids that were never put, inherited names included", async () => {
      const store = await bench.open("a");
      await store.commit([put("a", 1, { n: 1 })]);
      for (const id of ["__proto__", "constructor", "toString", ".."]) {
        expect(await store.get("a", id)).toBeUndefined();
        expect(await store.list(id)).toEqual([]);
        expect(await store.agent(id)).toBeUndefined();
      }
    });

    it("keeps hostile keys as data, in states, metadata and notes, and pollutes nothing", async () => {
      const store = await bench.open("a");
      const payload =
        '{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}},"toString":"x"}';
      const entry = put("a", 1, JSON.parse(payload), { metadata: JSON.parse(payload) });
      await store.commit([entry, event("a", { kind: "note", topic: "t", body: JSON.parse(payload) })]);
      const reopened = await bench.reopen(store);
      expect(JSON.stringify((await reopened.load("a", "a:1")).toValue())).toBe(payload);
      expect(JSON.stringify((await reopened.get("a", "a:1"))?.metadata)).toBe(payload);
      expect(JSON.stringify((await reopened.agent("a"))?.notes.t)).toBe(payload);
      expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
    });
  });
}
