/** Who may write an agent, and what is relied on when it changes hands. */
import { edit, type Mutant } from "../mutant.js";

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
    edits: [edit("disk/src/takeover-sync", "await handle.sync();", "")],
    instruments: ["takeover"],
  },
  {
    name: "what could not be synced after a takeover is trusted",
    edits: [edit("disk/src/takeover-sync", "return !this.#failed.has(key);", "return true;")],
    instruments: ["takeover-failing"],
  },
  {
    name: "the history is read before the lease is held",
    edits: [
      edit(
        "disk/src/held-agent",
        "  const lease = await acquireLease(",
        "  await catalog.refresh();\n  const { history } = await catalog.replay(agentId);\n  const lease = await acquireLease(",
      ),
      edit("disk/src/held-agent", "    await catalog.refresh();\n    await sync", "    await sync"),
      edit(
        "disk/src/held-agent",
        "    const { history } = await catalog.replay(agentId);\n    // A",
        "    // A",
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
        "if (highest !== epoch || !names.includes(`${epoch}.lease`)) {",
        "if (names.length < 0) {",
      ),
    ],
    instruments: ["contention", "races"],
  },
  {
    name: "the system's lock is given back before the lease is marked",
    edits: [
      edit(
        "io/src/lease",
        "    try {\n      // First the mark, then the lock: who gets the lock finds the lease given back.\n      await this.#leases.markReleased(this.epoch);",
        "    try {\n      await this.#lock?.handle.close();\n      await this.#leases.markReleased(this.epoch);",
      ),
    ],
    instruments: ["races", "contention"],
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
  },
  {
    name: "whoever cannot be proven dead is taken for dead",
    edits: [
      edit(
        "io/src/lease",
        'if (verdict.state !== "dead") throw lockedError(leases.path, holder, verdict.because);',
        "",
      ),
    ],
    instruments: ["contention"],
  },
  {
    name: "a writer works without its lease",
    edits: [
      edit(
        "disk/src/own-writer",
        "const lease = await acquireLease(layout.writer(writerId), {",
        "const lease = await acquireLease(layout.writer(`${writerId}/elsewhere`), {",
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
];
