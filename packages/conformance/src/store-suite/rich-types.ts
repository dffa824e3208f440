import { snapshot } from "@ckpt/core";
import { describe, expect, it } from "vitest";
import { SeededRandom } from "../faulty-fs/random.js";
import { put, type StoreBench } from "./bench.js";
import { edited, richState } from "./rich-state.js";

/** States come back exactly: every type, every size, through every chain of deltas. */
export function richTypes(bench: StoreBench): void {
  describe("rich types", () => {
    bench.closeAfterEach();

    const values: Record<string, unknown> = {
      "numbers that JSON lacks": [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0, 5e-324],
      "integers of any size": [2n ** 200n, -1n, 0n, Number.MAX_SAFE_INTEGER],
      undefined: { absent: undefined, list: [undefined, null] },
      dates: [new Date(0), new Date(-1), new Date(8.64e15), new Date(Number.NaN)],
      "maps and sets, in order": new Map<unknown, unknown>([
        [{ k: 1 }, new Set([3, 1, 2])],
        ["z", 1],
        ["a", new Map()],
      ]),
      "typed arrays": [
        new Float64Array([1.5, Number.NaN]),
        new Uint8ClampedArray([1]),
        new BigInt64Array([-5n]),
        new Uint16Array(0),
      ],
      "large binary": {
        buffer: Buffer.alloc(300_000, 0xab),
        view: new DataView(new ArrayBuffer(9)),
        raw: new ArrayBuffer(700),
      },
      "URLs, expressions and errors": [
        new URL("https://example.org/a?b=c#d"),
        /a+b/giu,
        new RangeError("out"),
      ],
      "text of all kinds": ["", "\0", "\u2028", "\ud800", "x\udfff", "😀", "ü".repeat(50_000), '"\\'],
      "keys that look like something else": JSON.parse(
        '{"__proto__":{"x":1},"constructor":1,"$ckpt":"Date","$$ckpt":2,"":3,"1":4}',
      ),
      "a single value": 7,
      null: null,
      "many small things": Array.from({ length: 5_000 }, (_, i) => ({ i, text: `item ${i}` })),
      "deep nesting": Array.from({ length: 150 }).reduce<unknown>((inner) => ({ inner }), "bottom"),
    };
    for (const [what, value] of Object.entries(values)) {
      it(`keeps ${what}`, async () => {
        const store = await bench.open("a");
        const entry = put("a", 1, value);
        await store.commit([entry, put("a", 2, { wrapped: value })]);
        const reopened = await bench.reopen(store);
        const loaded = await reopened.load("a", "a:1");
        expect(loaded.hash).toBe(entry.snapshot.hash);
        const [one, two] = [loaded.toValue(), (await reopened.load("a", "a:2")).toValue()];
        expect(snapshot(one).hash).toBe(entry.snapshot.hash);
        expect(snapshot(two).hash).toBe(snapshot({ wrapped: value }).hash);
        // Comparing large values element by element takes seconds and says no more than their hash.
        if (entry.snapshot.weight > 20_000) return;
        expect(one).toStrictEqual(value);
        expect(two).toStrictEqual({ wrapped: value });
      });
    }

    it("keeps the order of keys, and tells states apart that differ in nothing else", async () => {
      const store = await bench.open("a");
      await store.commit([put("a", 1, { x: 1, y: 2 }), put("a", 2, { y: 2, x: 1 })]);
      const reopened = await bench.reopen(store);
      const [one, two] = [await reopened.load("a", "a:1"), await reopened.load("a", "a:2")];
      expect(Object.keys(one.toValue<object>())).toEqual(["x", "y"]);
      expect(Object.keys(two.toValue<object>())).toEqual(["y", "x"]);
      expect(one.hash).not.toBe(two.hash);
    });

    it("restores every checkpoint of long, randomly edited histories", async () => {
      const random = new SeededRandom(20_240_229);
      const store = await bench.open("a", "b", "c");
      const expected = new Map<string, { agentId: string; hash: string }>();
      for (const agentId of ["a", "b", "c"]) {
        let state = richState(random);
        let previous = snapshot(state);
        for (let n = 1; n <= 60; n++) {
          // One in ten starts afresh; the others are small changes, which a store may keep as deltas.
          state = random.chance(0.1) ? richState(random) : edited(state, random);
          previous = snapshot(state, { previous });
          await store.commit([{ ...put(agentId, n, null), snapshot: previous }]);
          expected.set(`${agentId}:${n}`, { agentId, hash: previous.hash });
        }
      }
      const reopened = await bench.reopen(store);
      for (const [id, { agentId, hash }] of expected) {
        const loaded = await reopened.load(agentId, id);
        // Worked out anew from the value, not taken from what the store says.
        expect([id, snapshot(loaded.toValue()).hash]).toEqual([id, hash]);
      }
    });
  });
}
