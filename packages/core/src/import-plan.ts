import { CkptError } from "@ckpt/errors";
import type { CheckpointDraft, CheckpointHeader } from "./checkpoint-header.js";
import type { ImportedEntry } from "./import-document.js";
import type { Snapshot } from "./snapshot.js";
import type { StoreEntry } from "./store.js";

/**
 * What to do with an id that is taken. `refuse`: reject with `CKPT_CONFLICT`. `renumber`: give the newcomer the id of its sequence. `skip`:
 * pass it over when it is the same state, else as `refuse`.
 */
export type ImportConflict = "refuse" | "renumber" | "skip";

export interface ImportTarget {
  readonly agentId: string;
  /** The last sequence that the agent has handed out. */
  readonly lastSequence: number;
  /** The checkpoints that are there. */
  readonly taken: readonly CheckpointHeader[];
  readonly onConflict: ImportConflict;
}

export interface ImportedPut {
  readonly header: CheckpointDraft;
  readonly snapshot: Snapshot;
}

/** No history gets this far by counting; beyond it an imported number could use up the sequences. */
const MAX_IMPORTED_SEQUENCE = 2 ** 50;

/**
 * Places imported entries behind a history, in their order. An id of the agent's own form `agentId:number` gets that number as its sequence
 * where it still can. So the last sequence is never below the number of any id of the history, and the ids of later
 * creates, made from later sequences, never meet an imported one.
 *
 * Each entry's parent is the one before it: the reference's histories are lines.
 */
export function planImport(entries: readonly ImportedEntry[], target: ImportTarget): ImportedPut[] {
  const { agentId, onConflict } = target;
  const taken = new Map(target.taken.map(({ id, stateHash }) => [id, stateHash]));
  const numbers = new Set(entries.map(({ id }) => ownNumber(id, agentId) ?? 0));
  let { lastSequence } = target;
  let parentId: string | null = null;
  const puts: ImportedPut[] = [];
  for (const entry of entries) {
    const { snapshot, name, timestamp, metadata, schemaVersion } = entry;
    let { id } = entry;
    let sequence = Math.max(lastSequence + 1, ownNumber(id, agentId) ?? 0);
    if (taken.has(id)) {
      const isSame = taken.get(id) === snapshot.hash;
      if (onConflict === "skip" && isSame) {
        parentId = id;
        continue;
      }
      if (onConflict !== "renumber") throw conflict(id, agentId, isSame);
      // An id that the text itself brings further on is not for it.
      sequence = lastSequence + 1;
      while (numbers.has(sequence)) sequence++;
      id = `${agentId}:${sequence}`;
    }
    lastSequence = sequence;
    taken.set(id, snapshot.hash);
    puts.push({
      header: { id, agentId, sequence, name, timestamp, parentId, metadata, schemaVersion },
      snapshot,
    });
    parentId = id;
  }
  return puts;
}

/** The entries of an import's commit. The head stays at `headId`, where there is one, although puts move it. */
export function importBatch(
  plan: readonly ImportedPut[],
  agentId: string,
  headId: string | null,
): readonly StoreEntry[] {
  const puts = plan.map((put): StoreEntry => ({ op: "put", ...put }));
  if (headId === null) return puts;
  return [...puts, { op: "event", agentId, event: { kind: "head", checkpointId: headId, reason: "import" } }];
}

/** The number of an id of the form `agentId:number`, as `create` writes it. */
function ownNumber(id: string, agentId: string): number | undefined {
  if (!id.startsWith(`${agentId}:`)) return undefined;
  const digits = id.slice(agentId.length + 1);
  if (!/^[1-9]\d*$/.test(digits)) return undefined;
  const number = Number(digits);
  if (number <= MAX_IMPORTED_SEQUENCE) return number;
  throw new CkptError("CKPT_LIMIT", {
    message: `The id ${JSON.stringify(id)} has a number above 2^50; ids after it could not be counted on.`,
    hint: "Give the checkpoint a smaller number in the text. Nothing was imported.",
    details: { checkpointId: id },
  });
}

function conflict(id: string, agentId: string, isSame: boolean): CkptError {
  return new CkptError("CKPT_CONFLICT", {
    message: `The id ${JSON.stringify(id)} is taken${isSame ? " by the same state" : ""}. Nothing was imported.`,
    hint: 'Import with onConflict: "renumber" to give newcomers ids of their own, or "skip" to pass over what is there already.',
    details: { agentId, checkpointId: id, sameState: isSame },
  });
}
