/** The order of compaction and repair, and what compaction must keep. */
import { edit, type Mutant } from "../mutant.js";

export const compactionMutants: readonly Mutant[] = [
  {
    name: "sources are unlinked before the manifest is published",
    edits: [
      edit(
        "disk/src/compaction",
        "  await publishOutputs(context, previous, sources, copy.outputs);",
        "  await removeSources(context, sources, copy.lost);\n  await publishOutputs(context, previous, sources, copy.outputs);",
      ),
    ],
    instruments: ["cuts-compaction", "compactors"],
  },
  {
    name: "the manifest is published before the outputs are written",
    edits: [
      edit(
        "disk/src/compaction",
        "    await copy.run(plan);\n",
        "    previous = await readManifest(fs, layout, catalog.manifest);\n    await publishOutputs(context, previous, sources, copy.outputs);\n    await copy.run(plan);\n",
      ),
      edit(
        "disk/src/compaction",
        "  await publishOutputs(context, previous, sources, copy.outputs);\n  await catalog",
        "  await catalog",
      ),
    ],
    instruments: ["cuts-compaction"],
  },
  {
    name: "segments of living writers are compacted",
    edits: [
      edit(
        "disk/src/compaction",
        ": !ids.has(segment.writerId)) return false;",
        ': ids.has("nobody")) return false;',
      ),
    ],
    instruments: ["beside"],
  },
  {
    name: "removals are dropped while their target may be elsewhere",
    edits: [edit("disk/src/taken-back", "targetsOf(entry).some((target) => elsewhere.has(target))", "false")],
    instruments: ["beside"],
  },
  {
    name: "removals are dropped while their target may be in what cannot be read",
    edits: [
      edit(
        "disk/src/taken-back",
        "others.some((segment) => !segment.isWhole)) return retractions;",
        "others.some((segment) => !segment.isWhole)) return [];",
      ),
    ],
    instruments: ["folded"],
  },
  {
    name: "removals are dropped while a segment is missing",
    edits: [
      edit(
        "disk/src/taken-back",
        "directory.unreadable.length > 0 || directory.missesSome;",
        "directory.unreadable.length > 0;",
      ),
    ],
    instruments: ["out-of-sight"],
  },
  {
    name: "removals are dropped while a segment cannot be read",
    edits: [
      edit(
        "disk/src/taken-back",
        "directory.unreadable.length > 0 || directory.missesSome;",
        "directory.missesSome;",
      ),
    ],
    instruments: ["out-of-sight"],
  },
  {
    name: "ends of guards are dropped",
    edits: [edit("disk/src/taken-back", 'entry.event.kind === "guard-done" || ', "")],
    instruments: ["out-of-sight"],
  },
  {
    name: "ends of pins are dropped",
    edits: [
      edit(
        "disk/src/taken-back",
        'entry.event.kind === "guard-done" || entry.event.kind === "unpinned";',
        'entry.event.kind === "guard-done";',
      ),
    ],
    instruments: ["out-of-sight"],
  },
  {
    name: "the last sequence is not kept",
    edits: [
      edit(
        "disk/src/compaction-plan",
        '  kept.push({ kind: "sequence",',
        '  if (salvage) kept.push({ kind: "sequence",',
      ),
    ],
    instruments: ["beside"],
  },
  {
    name: "the last move of the head is not kept",
    edits: [
      edit(
        "disk/src/compaction-plan",
        "if (move !== undefined && taken.has(move.segment)) kept.push(move);",
        "",
      ),
    ],
    instruments: ["last-head"],
  },
  {
    name: "that the head was removed is not kept with what was the head",
    edits: [
      edit(
        "disk/src/compaction-plan",
        'return taken.has(word.segment) || (word.kind !== "gone" && mine.length > 0);',
        "return taken.has(word.segment) && mine.length >= 0;",
      ),
    ],
    instruments: ["last-head"],
  },
  {
    name: "the segment that saves go into is compacted",
    edits: [
      edit("disk/src/compaction", "if (segment.isOwn ? segment.isOpen :", "if (segment.isOwn ? false :"),
    ],
    instruments: ["saves-beside"],
  },
  {
    name: "a look is taken for one of one moment beside a compaction",
    edits: [
      edit(
        "disk/src/store-directory",
        "if (number === seen.manifest || round === MAX_ROUNDS) break;",
        "if (number >= 0) break;",
      ),
    ],
    instruments: ["readers", "late-reader", "beside", "compactors"],
  },
  {
    name: "a dead writer of which a segment is missing is swept away",
    edits: [edit("disk/src/compaction-sources", "if (await missesSegments(catalog, writerId)) return;", "")],
    instruments: ["missing"],
  },
  {
    name: "what repair wrote down as lost is not kept",
    edits: [
      edit(
        "disk/src/repair-heads",
        "...lostHeads(context, writer)];",
        "...lostHeads(context, writer).slice(0, 0)];",
      ),
    ],
    instruments: ["missing"],
  },
  {
    name: "the directory is not synced after sources were unlinked",
    edits: [
      edit(
        "disk/src/compaction-sources",
        "    await fs.syncDirectory(layout.writer(writerId)).catch((error: unknown) => {",
        "    await Promise.resolve(writerId).catch((error: unknown) => {",
      ),
    ],
    instruments: ["cuts-compaction"],
    coveredBy: {
      what: "the sync of a segment's directory when the next one is created, before anything is forgotten",
      removals: [{ safeguard: "syncDirectory", paths: "^/store/writers/[^/]+$" }],
      instruments: ["cuts-saves"],
    },
  },
  {
    name: "damaged segments are unlinked instead of moved aside",
    edits: [
      edit(
        "disk/src/compaction-sources",
        "if (why.length + source.orphans.length + lostIds.length > 0) {",
        "if (why.length < 0) {",
      ),
    ],
    instruments: ["repair"],
  },
  {
    name: "quarantine moves the file before its note is durable",
    edits: [
      edit(
        "disk/src/quarantine",
        "  await writeNote(fs, target, note);\n  await fs.rename(layout.segment(note.segment), target);",
        "  await fs.rename(layout.segment(note.segment), target);\n  void writeNote;",
      ),
    ],
    instruments: ["repair"],
  },
  {
    name: "a reader that misses a file does not look at the manifest again",
    edits: [
      edit(
        "disk/src/store-core",
        "const moved = await this.#reading(this.catalog.locate(agentId, id));",
        "const moved = (await this.catalog.history(agentId))?.find(id);",
      ),
    ],
    instruments: ["late-reader", "readers"],
  },
  {
    name: "the bytes in flight of a living writer are a finding",
    edits: [
      edit(
        "disk/src/segment-check",
        "if (scan.tornAt !== undefined && !isLiving)",
        "if (scan.tornAt !== undefined)",
      ),
    ],
    instruments: ["in-flight"],
  },
  {
    name: "heads are recorded before what they name is acknowledged",
    edits: [
      edit(
        "disk/src/log-segment",
        "return { number: this.header.number, end: this.end, sealed: this.isSealed, agents: this.ranges };",
        "const end = { ...this.end, length: this.end.length + 64 };\n    return { number: this.header.number, end, sealed: this.isSealed, agents: this.ranges };",
      ),
    ],
    instruments: ["cuts-saves"],
  },
  {
    name: "the reserve of a full disk is not given up",
    edits: [edit("disk/src/log-writer", "(await this.#context.releaseReserve())", "false")],
    instruments: ["full-disk"],
  },
];
