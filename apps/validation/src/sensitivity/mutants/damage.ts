/** What is relied on although it was found damaged, and what is taken for damaged after one look. */
import { edit, type Mutant } from "../mutant.js";

export const damageMutants: readonly Mutant[] = [
  {
    name: "saves go on into a segment that a read found damaged",
    edits: [edit("disk/src/store-core", "this.#writer?.log.leave(this.layout.segment(moved.segment));", "")],
    instruments: ["known-damage"],
  },
  {
    name: "saves go on into a segment that verify found damaged",
    edits: [edit("disk/src/store-core", "this.#writer?.log.leave(finding.place);", "")],
    instruments: ["known-damage"],
  },
  {
    name: "a put of what a read found damaged changes nothing",
    edits: [edit("disk/src/store-core", "!this.#damagedPuts.has(put) && ", "")],
    instruments: ["known-damage"],
  },
  {
    name: "heads and manifests are damaged after one failed read",
    edits: [edit("disk/src/checked-json", 'if (attempt === 2) return "damaged";', 'return "damaged";')],
    instruments: ["failed-once"],
  },
  {
    name: "a segment cannot be read after one failed read",
    edits: [edit("disk/src/writer-segments", "        return segment.open();\n", "        throw error;\n")],
    instruments: ["failed-once"],
  },
  {
    name: "a state is damaged after one failed read",
    edits: [edit("disk/src/load-state", "attempt < ATTEMPTS;", "attempt < 1;")],
    instruments: ["failed-once"],
  },
];
