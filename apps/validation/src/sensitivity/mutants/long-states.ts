/** Long states: how their texts are written, and their records read. */
import { edit, type Mutant } from "../mutant.js";

export const longStateMutants: readonly Mutant[] = [
  {
    name: "lone surrogates of long texts are replaced",
    edits: [
      edit("core/src/record/escape", "if (end - at !== text.length && !text.isWellFormed()) return -1;", ""),
    ],
    instruments: ["long-texts"],
  },
  {
    name: "a long text is written where it does not fit",
    edits: [
      edit(
        "core/src/record/escape",
        "return text.length * 3 <= bytes || Buffer.byteLength(text) <= bytes;",
        "return text.length <= bytes;",
      ),
    ],
    instruments: ["long-texts"],
  },
  {
    name: "a long text is escaped where its escapes do not fit",
    edits: [edit("core/src/record/escape", "if (newEnd > target.length) return -1;", "")],
    instruments: ["long-texts"],
    coveredBy: {
      what: "the room for the quote that closes the text",
      edits: [
        edit(
          "core/src/record/json-parts",
          "hasRoom(part, target.length - end) ?",
          "hasRoom(part, 1 << 30) ?",
        ),
      ],
    },
  },
  {
    name: "a long text is escaped at more places than are noted",
    edits: [edit("core/src/record/escape", "if (count > MAX_PLACES - 16) return -1;", "")],
    instruments: ["long-texts"],
  },
  {
    name: "fragments that are read ahead are not verified",
    edits: [
      edit(
        "io/src/record-read",
        "if (frameCrc(at, there, 0, crc32(body)) !== header.crc) {",
        "if (at === record && frameCrc(at, there, 0, crc32(body)) !== header.crc) {",
      ),
    ],
    instruments: ["streamed-records"],
  },
  {
    name: "a read ahead that fails ends the record",
    edits: [
      edit(
        "io/src/record-read",
        "    bytes = await next;\n",
        "    const read = await settled;\n    if (read === undefined) return;\n    bytes = read;\n",
      ),
    ],
    instruments: ["streamed-records"],
  },
  {
    name: "a read ahead that fails is nobody's while the fragment before it is made use of",
    edits: [
      edit(
        "io/src/record-read",
        "const settled = next.catch(() => undefined);",
        "const settled = Promise.resolve();",
      ),
    ],
    instruments: ["streamed-records"],
  },
  {
    name: "a reader that stops leaves a read under way",
    edits: [edit("io/src/record-read", "      await settled;\n", "")],
    instruments: ["streamed-records"],
  },
];
