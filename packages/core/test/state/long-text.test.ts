import { encodeKeyframe, StateAssembler, snapshot } from "@ckpt/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parameters } from "./rich-states.js";

/** Text as agents have it: mostly prose, now and then something that JSON escapes, of any length around the one that counts as long. */
const text = fc
  .array(
    fc.oneof(
      {
        weight: 8,
        arbitrary: fc.constantFrom(
          "plain words and more ",
          "line\n",
          'a "quoted" word ',
          "C:\\temp\\",
          "Größe ",
        ),
      },
      {
        weight: 1,
        arbitrary: fc.constantFrom(
          "\t",
          "\r\n",
          "\u0000",
          "\u001f",
          "\u007f",
          "\u2028",
          "😀",
          "\ud800",
          "\udc00\ud800",
        ),
      },
      { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 20 }) },
    ),
    { maxLength: 60 },
  )
  .chain((words) => fc.constantFrom(words.join(""), words.join("").repeat(5)));

const key = fc.constantFrom(
  "content",
  "text",
  'a "key"',
  "back\\slash",
  "\n",
  "2",
  "1",
  "__proto__",
  "ü",
  "\ud800",
  "toJSON",
);

const message = fc.letrec((tie) => ({
  value: fc.oneof(
    { weight: 4, arbitrary: text },
    { weight: 1, arbitrary: fc.constantFrom<unknown>(null, true, 1.5) },
    { weight: 1, arbitrary: fc.array(tie("value"), { maxLength: 3 }) },
    { weight: 2, arbitrary: tie("object") },
  ),
  object: fc
    .array(fc.tuple(key, tie("value")), { maxLength: 4 })
    .map((entries) => Object.fromEntries(entries) as unknown),
})).value;

describe("a state with long texts", () => {
  it("is written as JSON.stringify writes it, and has the hash of that, whatever its texts hold", () => {
    fc.assert(
      fc.property(message, (value) => {
        const written = snapshot(value);
        const record = Buffer.concat([...encodeKeyframe(written)]);
        // What holds no large container is one piece, which ends the record.
        if (written.weight <= 8_192)
          expect(
            record.toString("latin1").endsWith(Buffer.from(JSON.stringify(value)).toString("latin1")),
          ).toBe(true);
        const assembler = new StateAssembler();
        const sink = assembler.keyframe();
        sink.push(record);
        sink.end();
        // Of a snapshot that was never written: its hash is taken over texts of its own.
        expect(assembler.finish(snapshot(value).hash).toValue()).toEqual(value);
      }),
      parameters("long texts", 10),
    );
  });

  it("is written so at the seams of its chunks, and however long a text is and however much of it is escaped", () => {
    const unit = fc.constantFrom(
      "plain ",
      "\n",
      '"',
      "\\",
      "\u001b[1m",
      "\u0001",
      "ü",
      "日本",
      "😀",
      "x\ud800",
    );
    const stretch = fc.tuple(unit, fc.nat(40_000)).map(([of, length]) => of.repeat(length / of.length));
    const texts = fc.array(
      fc.array(stretch, { minLength: 1, maxLength: 4 }).map((stretches) => stretches.join("")),
      { minLength: 1, maxLength: 24 },
    );
    fc.assert(
      fc.property(texts, (value) => {
        const messages = value.map((content) => ({ content }));
        const assembler = new StateAssembler();
        const sink = assembler.keyframe();
        for (const chunk of encodeKeyframe(snapshot(messages))) sink.push(chunk, true);
        sink.end();
        expect(assembler.finish(snapshot(messages).hash).toValue()).toEqual(messages);
      }),
      parameters("seams of chunks", 0.5),
    );
  });
});
