import { createHash } from "node:crypto";
import { encodeKeyframe, hashInSlices, type Snapshot, StateAssembler, snapshot } from "@ckpt/core";
import { describe, expect, it } from "vitest";

const sha = (...parts: (string | Uint8Array)[]) => {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest();
};
const u32 = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
};
const text = (length: number) => "x".repeat(length);
const chunked = (state: Snapshot) => [...encodeKeyframe(state)];

describe("the state's hash", () => {
  it("is, for a small state, that of its JSON text", () => {
    expect(snapshot({ a: 1 }).hash).toBe(sha('{"a":1}').toString("hex"));
    expect(snapshot("ü\ud800").hash).toBe(sha('"ü\\ud800"').toString("hex"));
    expect(snapshot(text(20_000)).hash).toBe(sha(`"${text(20_000)}"`).toString("hex"));
  });

  it("is, for a large one, taken over groups as the format says", () => {
    // Two light children, one that stands alone, 520 light numbers: 512 of them weigh 4,096.
    const state = ["a", { b: 1 }, text(9_000), ...Array.from({ length: 520 }, () => 1)];
    const ones = (count: number) => JSON.stringify(Array.from({ length: count }, () => 1));
    const expected = sha(
      Uint8Array.of(2),
      u32(523),
      ...[u32(2), sha('["a",{"b":1}]'), u32(1), sha(`"${text(9_000)}"`)],
      ...[u32(512), sha(ones(512)), u32(8), sha(ones(8))],
    );
    expect(snapshot(state).hash).toBe(expected.toString("hex"));
  });

  it("is, for a large object with binary, taken over keys and groups", () => {
    const bytes = new Uint8Array(300).fill(3);
    const leaf = sha(Uint8Array.of(4), bytes);
    const tagged = sha(
      Uint8Array.of(3),
      u32(2),
      sha('["$ckpt","v"]'),
      u32(1),
      sha('["Uint8Array"]'),
      u32(1),
      leaf,
    );
    const expected = sha(Uint8Array.of(3), u32(2), sha('["n","data"]'), u32(1), sha("[1]"), u32(1), tagged);
    expect(snapshot({ n: 1, data: bytes }).hash).toBe(expected.toString("hex"));
  });

  it("tells states apart that are not one", () => {
    const states = [
      0,
      -0,
      Number.NaN,
      null,
      undefined,
      "",
      "0",
      0n,
      [],
      {},
      [undefined],
      [null],
      { a: undefined },
      { a: null },
      { a: 1, b: 2 },
      { b: 2, a: 1 },
      new Map(),
      new Set(),
      new Map([[1, 2]]),
      [[1, 2]],
      new Set([1, 2]),
      new Set([2, 1]),
      Object.create(null),
      new Date(0),
      new Date(Number.NaN),
      new Uint8Array(2),
      new Int8Array(2),
      Buffer.alloc(2),
      new ArrayBuffer(2),
      { $ckpt: "Date", v: 0 },
      { $$ckpt: "Date", v: 0 },
      /a/,
      /a/g,
      new Error("a"),
      new TypeError("a"),
      new URL("a:b"),
      "a:b",
    ];
    const hashes = states.map((state) => snapshot(state).hash);
    expect(new Set(hashes).size).toBe(states.length);
    const large = states.map((state) => snapshot({ pad: text(9_000), state }).hash);
    expect(new Set(large).size).toBe(states.length);
    expect(snapshot([Number.NaN]).hash).toBe(snapshot([0 / 0]).hash);
  });

  it("does not depend on the way to a state: added, dropped, moved, read back", () => {
    const item = (i: number) => ({ i, text: text((i * 37) % 700) });
    const all = Array.from({ length: 300 }, (_, i) => item(i));
    const direct = snapshot({ all }).hash;
    let state = snapshot({ all: [] as unknown[] });
    for (let n = 1; n <= 300; n += 7) {
      state = snapshot({ all: all.slice(0, n) }, { previous: state });
      if (n % 2 === 0) expect(state.hash).toBe(snapshot({ all: all.slice(0, n) }).hash);
    }
    for (const list of [[...all].reverse(), all.slice(100), [...all.slice(150), ...all.slice(0, 150)], all]) {
      state = snapshot({ all: list }, { previous: state });
      expect(state.hash).toBe(snapshot({ all: list }).hash);
    }
    expect(state.hash).toBe(direct);
  });

  it("is the same in slices, with pauses that let others work", async () => {
    const state = { list: Array.from({ length: 2_000 }, (_, i) => ({ i, text: text(1_000) })) };
    let asked = 0;
    const hash = await hashInSlices(snapshot(state), () =>
      asked++ % 3 === 0 ? Promise.resolve() : undefined,
    );
    expect(hash).toBe(snapshot(state).hash);
    expect(asked).toBeGreaterThan(30);
  });
});

describe("a record", () => {
  it("comes in chunks of bounded size that stay as they were", () => {
    const state = snapshot({
      list: Array.from({ length: 3_000 }, (_, i) => ({ i, text: text(700) })),
      long: text(3_000_000),
      bytes: new Uint8Array(2_500_000).fill(1),
    });
    const chunks = chunked(state);
    expect(Math.max(...chunks.map(({ length }) => length))).toBeLessThanOrEqual(1_048_576);
    expect(chunks.filter(({ length }) => length < 32_768).length).toBeLessThan(8);
    const assembler = new StateAssembler();
    const sink = assembler.keyframe();
    for (const chunk of chunks) sink.push(chunk);
    sink.end();
    expect(assembler.finish(state.hash).hash).toBe(state.hash);
  });

  it("is encoded chunk by chunk, as it is asked for", () => {
    const state = snapshot(Array.from({ length: 3_000 }, (_, i) => ({ i, text: text(700) })));
    const chunks = encodeKeyframe(state)[Symbol.iterator]();
    expect(chunks.next().value?.length).toBeLessThanOrEqual(65_536);
  });

  it("is small for a small state", () => {
    expect(Buffer.concat(chunked(snapshot({ a: 1 }))).length).toBe(10 + 1 + 4 + 7);
  });
});
