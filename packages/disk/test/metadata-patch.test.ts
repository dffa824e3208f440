import type { Json } from "@ckpt/core";
import fc from "fast-check";
import { expect, it } from "vitest";
import { applyMetadata, diffMetadata, type Metadata } from "../src/metadata-patch.js";

const runs = { numRuns: Number(process.env.CKPT_PROPERTY_RUNS ?? 300) };
const key = fc.constantFrom("a", "b", "c", "1", "__proto__", "constructor", "é");
const json = fc.letrec<{ json: Json; object: Metadata }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom<Json>(null, true, 0, 1, "x", "y", ""),
    fc.array(tie("json"), { maxLength: 3 }),
    tie("object"),
  ),
  object: fc
    .array(fc.tuple(key, tie("json")), { maxLength: 5 })
    .map((entries) => Object.fromEntries(entries)),
})).object;

it("gives the next metadata back exactly, keys in their order, through JSON", () => {
  fc.assert(
    fc.property(json, json, (base, next) => {
      const patch: unknown = JSON.parse(JSON.stringify(diffMetadata(base, next)));
      expect(JSON.stringify(applyMetadata(base, patch))).toBe(JSON.stringify(next));
    }),
    runs,
  );
});

it("says nothing about what is equal, and shares it", () => {
  fc.assert(
    fc.property(json, (base) => {
      const copy = JSON.parse(JSON.stringify(base)) as Metadata;
      expect(diffMetadata(base, copy)).toBe(0);
      expect(applyMetadata(base, 0)).toBe(base);
    }),
    runs,
  );
  const base = Object.freeze({ context: { host: "h", memory: { rss: 1, heap: 2 } }, label: "x" });
  const patch = diffMetadata(base, { context: { host: "h", memory: { rss: 3, heap: 2 } }, label: "x" });
  expect(patch).toEqual({ s: { context: { s: { memory: { s: { rss: [3] } } } } } });
});

it("takes hostile patches for what they are, and pollutes nothing", () => {
  fc.assert(
    fc.property(json, fc.jsonValue(), (base, patch) => {
      const result = applyMetadata(base, patch);
      expect(result === undefined || typeof result === "object").toBe(true);
    }),
    runs,
  );
  applyMetadata({}, JSON.parse('{"s":{"__proto__":[{"polluted":true}]}}'));
  expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
});
