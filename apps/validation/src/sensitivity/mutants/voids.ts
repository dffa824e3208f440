/** What failed writes have left behind, and the commits that fail with others. */
import { edit, type Mutant } from "../mutant.js";

export const voidMutants: readonly Mutant[] = [
  {
    name: "a segment that voids another is compacted without it",
    edits: [
      edit(
        "disk/src/compaction",
        "const sources = withVoided(chosen, takeable, context.catalog.directory);",
        "const sources = chosen;",
      ),
    ],
    instruments: ["voided"],
  },
  {
    name: "a segment that cannot be read needs nobody who voids it",
    edits: [
      edit(
        "disk/src/compaction-voids",
        "for (const { key } of unreadable.values()) there.add(key);",
        "for (const { key } of unreadable.values()) there.delete(key);",
      ),
    ],
    instruments: ["voided"],
  },
  {
    name: "an agent is given back before what failed is void",
    edits: [edit("disk/src/store-core", "await this.#writer?.settleVoids();", "")],
    instruments: ["given-back"],
  },
  {
    name: "a store is closed before what failed is void",
    edits: [
      edit(
        "disk/src/own-writer",
        "    await this.settleVoids();\n    await this.log.seal();",
        "    await this.log.seal();",
      ),
    ],
    instruments: ["given-back"],
  },
  {
    name: "commits do not wait for the segment that says what is void",
    edits: [edit("disk/src/log-writer", "this.#occupy(beginning.catch(ignore));", "")],
    instruments: ["given-back"],
  },
  {
    name: "a batch does not fail with the commit that brings one of its checkpoints",
    edits: [
      edit("disk/src/batch-check", "commit.follows = earlier.filter((other) => other !== commit);", ""),
    ],
    instruments: ["dependents"],
  },
  {
    name: "what an agent sent behind a commit that failed is written",
    edits: [edit("disk/src/give-up", "commit.writers.some((writer) => writers.has(writer)) ||", "")],
    instruments: ["dependents"],
  },
  {
    name: "a batch that fits only by itself is stored on what comes before it",
    edits: [edit("disk/src/batch-check", "commit.beginsChains = beginsChains;", "")],
    instruments: ["dependents"],
  },
];
