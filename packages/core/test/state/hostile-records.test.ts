import { CkptError, diff, encodeDelta, encodeKeyframe, StateAssembler, snapshot } from "@ckpt/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { forge } from "../record/forge.js";
import { mutate, numbers } from "./mutate.js";
import { agentState, parameters, richState } from "./rich-states.js";

const keyframe = (value: unknown) => Buffer.concat([...encodeKeyframe(snapshot(value))]);

/** Reads records as a store would; returns what was thrown. */
function read(
  records: readonly Uint8Array[],
  limits?: { maxNodes?: number; maxBytes?: number; maxDepth?: number },
): unknown {
  const assembler = new StateAssembler(limits);
  try {
    records.forEach((record, i) => {
      const sink = i === 0 ? assembler.keyframe() : assembler.delta();
      sink.push(record);
      sink.end();
    });
    assembler.finish("0".repeat(64));
  } catch (error) {
    return error;
  }
  return undefined;
}

const base = { list: [1, 2, 3], text: "abc", nested: { a: 1 } };

describe("a record that no snapshot wrote is refused, typed", () => {
  const cases: [string, Buffer[]][] = [
    ["nothing at all", [Buffer.alloc(0)]],
    ["another version", [Buffer.concat([Buffer.from([9]), keyframe(1).subarray(1)])]],
    ["a delta where a keyframe is due", [forge(2, null)]],
    ["a keyframe where a delta is due", [keyframe(base), keyframe(base)]],
    ["garbage after the end", [Buffer.concat([keyframe(base), Buffer.from([0])])]],
    ["a truncated one", [keyframe(base).subarray(0, -1)]],
    ["a structure that is no JSON", [forge(1, "[0", ["1"])]],
    ["an unknown structure", [forge(1, ["Z"], ["1"])]],
    ["a structure of depth 100,000", [forge(1, `${"[".repeat(100_000)}${"]".repeat(100_000)}`)]],
    ["arrays within arrays without end", [forge(1, `${'["A",'.repeat(5_000)}["A"]${"]".repeat(5_000)}`)]],
    ["a piece of depth 100,000", [forge(1, 0, [`${"[".repeat(100_000)}${"]".repeat(100_000)}`])]],
    ["fewer pieces than taken", [forge(1, ["A", -2], ["1"])]],
    ["more pieces than taken", [forge(1, ["A", -1], ["1", "2"])]],
    ["a huge number of single pieces", [forge(1, ["A", -1e300], ["1"])]],
    ["a fraction of a piece", [forge(1, ["A", -0.5], ["1"])]],
    ["a list of another length", [forge(1, ["A", 3], ["[1,2]"])]],
    ["bytes for text", [forge(1, 0, [Buffer.from("1")])]],
    ["text for bytes", [forge(1, ["B"], ["1"])]],
    ["a leaf without a tag", [forge(1, ["O", ["B"]], ['["a"]', Buffer.alloc(300)])]],
    ["a leaf as the state", [forge(1, ["B"], [Buffer.alloc(300)])]],
    ["a leaf in a list", [forge(1, ["A", ["B"]], [Buffer.alloc(300)])]],
    [
      "a leaf that is too short",
      [forge(1, ["O", 1, ["B"]], ['["$ckpt","v"]', '["Buffer"]', Buffer.alloc(3)])],
    ],
    ["more values than keys", [forge(1, ["O", 2], ['["a"]', "[1,2]"])]],
    ["a key twice", [forge(1, ["O", 2], ['["a","a"]', "[1,2]"])]],
    ["keys that are no texts", [forge(1, ["O", 1], ["[1]", "[1]"])]],
    [
      "text that is not UTF-8",
      [Buffer.from(forge(1, 0, ["1"]).toString("latin1").replace(/1$/, "\xff"), "latin1")],
    ],
    ["a forged tag", [forge(1, 0, ['{"$ckpt":"eval","v":1}'])]],
    ["a forged tag in a large object", [forge(1, ["O", 2], ['["$ckpt","v"]', '["Mop",[]]'])]],
    ["a negative zero", [forge(1, 0, ["-0"])]],
    ["an infinite number", [forge(1, 0, ["1e999"])]],
    ["a delta of another state: array", [keyframe(base), forge(2, ["a", [0, 1]])]],
    ["a delta that keeps too much", [keyframe([1, 2]), forge(2, ["a", [0, 3]])]],
    ["a delta that keeps twice", [keyframe([1, 2]), forge(2, ["a", [0, 2], [0, 2]])]],
    ["a delta that keeps nothing", [keyframe([1, 2]), forge(2, ["a", [0, 0]])]],
    ["a delta that keeps backwards", [keyframe([1, 2]), forge(2, ["a", [-1, 1]])]],
    ["a delta that patches what is not there", [keyframe([1, 2]), forge(2, ["a", [2, ["r", 0]]], ["1"])]],
    ["a delta that removes what is not there", [keyframe(base), forge(2, ["o", [], [], [], ["x"]])]],
    ["a delta that patches a missing key", [keyframe(base), forge(2, ["o", ["x", ["r", 0]]], ["1"])]],
    [
      "a delta that patches a prototype's key",
      [keyframe(base), forge(2, ["o", ["__proto__", ["o", [], ["x"], [-1]]]], ["1"])],
    ],
    ["a delta with an order that repeats", [keyframe(base), forge(2, ["o", [], [], [], [], [0, 3, 0, 3]])]],
    ["a delta with an order that forgets", [keyframe(base), forge(2, ["o", [], [], [], [], [0, 2]])]],
    ["a splice beyond the text", [keyframe("abc"), forge(2, ["t", 2, 2], ['"x"'])]],
    ["a splice of a number", [keyframe(1), forge(2, ["t", 0, 0], ['"x"'])]],
    ["a splice that leaves half a tag", [keyframe(new Date(0)), forge(2, ["o", [], ["v"], [-1]], ['"x"'])]],
    [
      "a change without end",
      [keyframe(base), forge(2, `${'["o",["nested",'.repeat(3_000)}0${"]]".repeat(3_000)}`)],
    ],
  ];
  for (const [name, records] of cases) {
    it(name, () => {
      const error = read(records);
      expect(error).toBeInstanceOf(CkptError);
      expect((error as CkptError).code).toMatch(/^CKPT_(CORRUPT|LIMIT)$/);
      // For what it is, not only because the hash is another.
      expect((error as CkptError).details).not.toHaveProperty("expected");
    });
  }

  it("and lengths that only promise bytes allocate nothing", () => {
    const record = forge(1, ["A", -4_000_000_000], [], 0xffff_ffff);
    const promise = Buffer.alloc(4);
    promise.writeUInt32LE(0x7fff_ffff);
    const before = process.memoryUsage().arrayBuffers;
    const sink = new StateAssembler().keyframe();
    sink.push(record);
    sink.push(promise);
    sink.push(Buffer.alloc(1_000));
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1_000_000);
    expect(() => sink.end()).toThrow(expect.objectContaining({ code: "CKPT_CORRUPT" }));
  });

  it("and states over the limits of the reader are refused", () => {
    expect(read([keyframe([1, 2, 3, 4])], { maxNodes: 4 })).toMatchObject({ code: "CKPT_LIMIT" });
    expect(read([keyframe("x".repeat(1_000))], { maxBytes: 500 })).toMatchObject({ code: "CKPT_LIMIT" });
    expect(read([keyframe([[[[1]]]])], { maxDepth: 3 })).toMatchObject({ code: "CKPT_LIMIT" });
    const grown = forge(2, ["a", [0, 3], 3], ["[1,2,3]"]);
    expect(read([keyframe([1, 2, 3]), grown], { maxNodes: 6 })).toMatchObject({ code: "CKPT_LIMIT" });
  });
});

describe("the assembler", () => {
  it("says both hashes when a whole state is not the one that was saved", () => {
    const taken = snapshot(base);
    expect(read([keyframe(base)])).toMatchObject({
      code: "CKPT_CORRUPT",
      details: { expected: "0".repeat(64), actual: taken.hash },
    });
  });

  it("refuses use out of turn and after damage", () => {
    const corrupt = expect.objectContaining({ code: "CKPT_CORRUPT" });
    expect(() => new StateAssembler().delta()).toThrow(corrupt);
    expect(() => new StateAssembler().finish("")).toThrow(corrupt);
    const assembler = new StateAssembler();
    const sink = assembler.keyframe();
    expect(() => sink.push(Buffer.alloc(10))).toThrow(corrupt);
    expect(() => sink.end()).toThrow(corrupt);
    expect(() => assembler.delta()).toThrow(corrupt);
  });

  it("reads a caller's buffer during the call only", () => {
    const taken = snapshot({ ...base, bytes: new Uint8Array(5_000).fill(7) });
    const assembler = new StateAssembler();
    const sink = assembler.keyframe();
    const shared = Buffer.alloc(100);
    const whole = Buffer.concat([...encodeKeyframe(taken)]);
    for (let i = 0; i < whole.length; i += 100) {
      const count = whole.copy(shared, 0, i, i + 100);
      sink.push(shared.subarray(0, count));
      shared.fill(0xee);
    }
    sink.end();
    expect(assembler.finish(taken.hash).toValue()).toEqual(taken.toValue());
  });

  it("never crashes, hangs or accepts another state, whatever is done to the bytes", () => {
    const flips = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(agentState, fc.nat(), richState, flips, fc.nat(3), (state, seed, fresh, changes, way) => {
        const first = snapshot(state);
        mutate(state, numbers(seed), fresh);
        const second = snapshot(state, { previous: first });
        const records = [[...encodeKeyframe(first)], [...encodeDelta(diff(first, second))]].map((all) =>
          Buffer.concat(all),
        );
        const target = records[seed % 2]!;
        if (way === 0) records[seed % 2] = target.subarray(0, seed % target.length);
        else
          for (const [at, byte] of changes)
            target[at % target.length] = way === 1 ? byte : target[at % target.length]! ^ (1 << (byte & 7));
        const assembler = new StateAssembler({ maxNodes: 1_000_000 });
        try {
          records.forEach((record, i) => {
            const sink = i === 0 ? assembler.keyframe() : assembler.delta();
            sink.push(record);
            sink.end();
          });
          expect(JSON.stringify(assembler.finish(second.hash).toTaggedJson())).toBe(
            JSON.stringify(second.toTaggedJson()),
          );
        } catch (error) {
          if (!(error instanceof CkptError)) throw error;
          expect(error.code).toMatch(/^CKPT_(CORRUPT|LIMIT)$/);
        }
      }),
      parameters("mutated records"),
    );
  });

  it("takes random bytes for what they are", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (bytes, headed) => {
        const record = headed
          ? Buffer.concat([Buffer.from([1, 1, bytes.length & 31, 0, 0, 0, 1, 0, 0, 0]), bytes])
          : bytes;
        expect(read([record])).toMatchObject({ code: "CKPT_CORRUPT" });
      }),
      parameters("random bytes"),
    );
  });
});
