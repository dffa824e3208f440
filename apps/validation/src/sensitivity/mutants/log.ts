/** The log: acknowledging, checksums, torn tails, poisoned segments. */
import { edit, type Mutant } from "../mutant.js";

const NO_STATE_HASH = edit(
  "core/src/record/assembler",
  "if (actual !== expectedHash) {",
  'if (actual === "") {',
);
const NO_RECORD_CRC = edit(
  "disk/src/record-frames",
  "if (frameCrc(at, bytes, at - start, crc32(body)) !== header.crc)",
  "if (frameCrc(at, bytes, at - start, crc32(body)) === -1)",
);

export const logMutants: readonly Mutant[] = [
  {
    name: "saves are acknowledged before they are written",
    edits: [
      edit(
        "io/src/frame-log",
        "const written = await writeFully(",
        "for (const { record, receipt } of this.#completed) record.resolve(receipt);\n    const written = await writeFully(",
      ),
    ],
    instruments: ["cuts-saves", "syncs-saves"],
  },
  {
    name: "the directory of a segment is synced after the first acknowledgement",
    edits: [
      edit(
        "io/src/frame-log",
        "await fs.syncDirectory(dirname(path));\n      return new FrameLog(handle, path, options);",
        "setTimeout(() => void fs.syncDirectory(dirname(path)).catch(() => undefined), 5);\n      return new FrameLog(handle, path, options);",
      ),
    ],
    instruments: ["cuts-saves", "faults-restarts"],
  },
  {
    name: "a failed write is taken for done once a sync succeeds",
    edits: [
      edit(
        "io/src/frame-log",
        "await writeFully(this.#handle, buffers, end - frameBytes, frameBytes);",
        "await writeFully(this.#handle, buffers, end - frameBytes, frameBytes).catch(async () => {\n      await this.#handle.datasync();\n      return frameBytes;\n    });",
      ),
    ],
    instruments: ["syncs-saves"],
  },
  {
    name: "a log goes on after a failed write",
    edits: [
      edit("io/src/frame-log", "this.#isPoisoned = true;\n", ""),
      edit("disk/src/log-writer", "if (!segment.isFailed) this.#failures++;", ""),
      edit(
        "disk/src/log-writer",
        "    segment.isFailed = true;\n    this.#drained?.();",
        "    this.#drained?.();",
      ),
    ],
    instruments: ["rejected", "syncs-saves"],
  },
  {
    name: "what a poisoned segment holds behind its end is not void",
    edits: [edit("disk/src/log-writer", "      voids: this.#voids,", "      voids: [],")],
    instruments: ["rejected"],
  },
  {
    name: "readers ignore what is void",
    edits: [
      edit(
        "disk/src/segment",
        "if (voidFrom !== undefined) return { to: voidFrom, knownAckedBytes: voidFrom };",
        "",
      ),
      edit(
        "disk/src/segment",
        "return voidFrom === undefined ? entries : entries.filter((entry) => entry.offset < voidFrom);",
        "return entries;",
      ),
    ],
    instruments: ["rejected"],
  },
  {
    name: "a batch that failed is not written anew",
    edits: [
      edit(
        "disk/src/log-writer",
        "for (const commit of this.#queue) commit.isSent = false;",
        "for (const commit of this.#queue.splice(0)) commit.succeed(1);",
      ),
    ],
    instruments: ["syncs-saves"],
  },
  {
    name: "frames are scanned without their checksum",
    edits: [
      edit(
        "io/src/frame-walker",
        "if (frameCrc(offset, bytes, 0, bodyCrc) !== header.crc) {",
        "if (frameCrc(offset, bytes, 0, bodyCrc) === -1) {",
      ),
    ],
    instruments: ["damaged-unhinted", "cuts-saves"],
  },
  {
    name: "records are loaded without their checksum",
    edits: [NO_RECORD_CRC],
    instruments: ["damaged-segments"],
    coveredBy: { what: "the hash of the state", edits: [NO_STATE_HASH], instruments: ["damaged-segments"] },
  },
  {
    name: "states are returned without their hash",
    edits: [NO_STATE_HASH],
    instruments: ["damaged-segments", "damaged-unhinted"],
    coveredBy: { what: "the checksum of records", edits: [NO_RECORD_CRC], instruments: ["damaged-segments"] },
  },
  {
    name: "heads, manifests and FORMAT are read without their checksum",
    edits: [
      edit(
        "disk/src/checked-json",
        'if (bytes.toString("latin1", end + 1, end + 9) !== crc32(line).toString(16).padStart(8, "0"))\n    return undefined;',
        "",
      ),
    ],
    instruments: ["damaged-others"],
  },
  {
    name: "the directory of a hint is read without its checksum",
    edits: [
      edit("disk/src/hint-file", "if (crc32(directory) !== footer.readUInt32LE(8)) return undefined;", ""),
    ],
    instruments: ["damaged-others"],
  },
  {
    name: "the blocks of a hint are read without their checksum",
    edits: [edit("disk/src/hint-blocks", "if (crc32(block) !== crc) return undefined;", "")],
    instruments: ["damaged-others"],
  },
  {
    name: "a hint counts whatever its segment holds",
    edits: [
      edit(
        "disk/src/segment",
        'if (!(await endsWith(handle, end))) return "differs";',
        'if (!(await endsWith(handle, end))) return "matches";',
      ),
    ],
    instruments: ["damaged-segments"],
    coveredBy: {
      what: "the checksum of records and the hash of states, which a restore verifies whatever the hint said",
      edits: [NO_RECORD_CRC, NO_STATE_HASH],
      instruments: ["damaged-segments"],
    },
  },
  {
    name: "every bad end is taken for torn",
    edits: [edit("io/src/frame-scan", "return this.#acked > bad;", "return false;")],
    instruments: ["damaged-unhinted"],
  },
  {
    name: "no bad end is taken for torn",
    edits: [edit("io/src/frame-scan", "return this.#acked > bad;", "return true;")],
    instruments: ["cuts-saves", "cuts-batches"],
  },
  {
    name: "frames claim as acknowledged what is being written with them",
    edits: [
      edit(
        "io/src/frame-log",
        "this.#batch.addFragment(record, offset, this.#head.length, this.#chain)",
        "this.#batch.addFragment(record, offset, offset, this.#chain)",
      ),
    ],
    instruments: ["cuts-together"],
  },
  {
    name: "recorded heads do not say what was acknowledged",
    edits: [
      edit("disk/src/writer-segments", "knownAckedBytes: head?.end.length", "knownAckedBytes: undefined"),
    ],
    instruments: ["damaged-unhinted", "heads"],
  },
];
