/** Who may write an agent, and what is relied on when it changes hands. */
import { edit, type Mutant } from "../mutant.js";

const TAKEN_FOR_DEAD = edit(
  "io/src/lease",
  'if (verdict.state !== "dead") throw lockedError(leases.path, holder, verdict.because);',
  "",
);

export const LIVING_IS_TRUSTED = edit("disk/src/takeover-sync", "this.#living.add(segment.key);", "{}");

export const holdingMutants: readonly Mutant[] = [
  {
    name: "what a former holder writes behind a later one counts",
    edits: [
      edit(
        "disk/src/replay",
        "if (entry.n >= limit) superseded.push(entry);",
        "if (entry.n === -1) superseded.push(entry);",
      ),
    ],
    instruments: ["lying-lock"],
  },
  {
    name: "a new holder does not raise the epoch",
    edits: [
      edit("disk/src/held-agent", "Math.max(lease.epoch, history.epoch + 1)", "Math.max(1, history.epoch)"),
    ],
    instruments: ["lying-lock", "races"],
  },
  {
    name: "what a dead writer left is not synced",
    edits: [edit("disk/src/takeover-sync", "await syncFile(this.#fs, segment.path);", "")],
    instruments: ["takeover"],
    coveredBy: {
      what: "writing a retry anew where the writer of what is there is not proven dead; a writer that is has the sync alone",
      edits: [LIVING_IS_TRUSTED],
      instruments: ["takeover"],
    },
  },
  {
    name: "what could not be synced after a takeover is trusted",
    edits: [edit("disk/src/takeover-sync", "!this.#failed.has(key) && ", ""), LIVING_IS_TRUSTED],
    instruments: ["takeover-failing"],
  },
  {
    name: "the history is read before the lease is held",
    edits: [
      edit(
        "disk/src/held-agent",
        "  const lease = await acquireLease(",
        "  await catalog.directory.refresh();\n  const early = await catalog.replay(agentId);\n  const lease = await acquireLease(",
      ),
      edit(
        "disk/src/held-agent",
        "    await catalog.directory.refresh();\n    const [unreadable]",
        "    const [unreadable]",
      ),
      edit(
        "disk/src/held-agent",
        "const { history } = await catalog.replay(agentId);",
        "const { history } = early;",
      ),
    ],
    instruments: ["races"],
  },
  {
    name: "the first put after a takeover may be a delta on another segment",
    edits: [
      edit("disk/src/put-plan", "writer.base?.segment === segment ? writer.base : undefined", "writer.base"),
    ],
    instruments: ["cuts-saves"],
  },
  {
    name: "a lease is not confirmed after it was published",
    edits: [
      edit(
        "io/src/lease",
        "if (highest !== epoch || !names.includes(",
        "if (highest < 0 && !names.includes(",
      ),
    ],
    instruments: ["late-claim", "contention"],
  },
  {
    name: "a lock file that was replaced counts",
    edits: [
      edit(
        "io/src/lease",
        "if (there !== undefined && String(there.ino) === id) return { handle, id };",
        "return { handle, id };",
      ),
    ],
    instruments: ["races", "beside"],
    coveredBy: {
      what: "the exclusive link of the lease, and the proof that its holder is dead",
      edits: [TAKEN_FOR_DEAD],
      instruments: ["contention"],
    },
  },
  {
    name: "whoever cannot be proven dead is taken for dead",
    edits: [TAKEN_FOR_DEAD],
    instruments: ["contention"],
  },
  {
    name: "a writer works without its lease",
    edits: [
      edit(
        "disk/src/own-writer",
        "const lease = await acquireLease(layout.writer(writerId), {",
        "const lease = await acquireLease(layout.writer(writerId + '/elsewhere'), {",
      ),
    ],
    instruments: ["beside"],
  },
  {
    name: "a sequence that was recorded and is lost is used again",
    edits: [
      edit(
        "disk/src/held-agent",
        "history.lastSequence = Math.max(history.lastSequence, catalog.recordedSequence(agentId));",
        "",
      ),
    ],
    instruments: ["reused"],
  },
  {
    name: "FORMAT is published after the first segment",
    edits: [
      edit(
        "disk/src/own-writer",
        "const storeId = await ensureStoreId(fs, layout, catalog.directory.storeId);",
        "const storeId = catalog.directory.storeId ?? globalThis.crypto.randomUUID();\n    setTimeout(() => void ensureStoreId(fs, layout, storeId).catch(() => undefined), 5);",
      ),
    ],
    instruments: ["races", "cuts-saves"],
  },
  {
    name: "segments of another store count",
    edits: [
      edit(
        "disk/src/store-directory",
        "if (storeId === undefined || storeId === this.#storeId) return",
        "if (storeId !== null) return",
      ),
    ],
    instruments: ["foreign"],
  },
  {
    name: "an agent is taken while what it has saved cannot be read",
    edits: [
      edit(
        "disk/src/held-agent",
        "if (unreadable !== undefined) throw mayHoldMore(agentId, unreadable);",
        "",
      ),
    ],
    instruments: ["unread"],
  },
  {
    name: "a link whose answer was lost is taken for not made",
    edits: [
      edit("io/src/link-exclusive", "if (!(await isSameFile(fs, from, to))) throw error;", "throw error;"),
    ],
    instruments: ["failed-once"],
  },
];
