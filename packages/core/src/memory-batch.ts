import { CkptError } from "@ckpt/errors";
import type { CheckpointHeader } from "./checkpoint-header.js";
import type { MemoryAgent } from "./memory-agent.js";

interface Changes {
  lastSequence: number;
  readonly put: Map<string, CheckpointHeader>;
  readonly removed: Set<string>;
}

/** Checks the entries of one batch in order, each against the store as the ones before it would leave it. Changes nothing. */
export class BatchCheck {
  readonly #stored: (agentId: string) => MemoryAgent | undefined;
  readonly #changes = new Map<string, Changes>();

  constructor(stored: (agentId: string) => MemoryAgent | undefined) {
    this.#stored = stored;
  }

  /**
   * Throws `CKPT_CONFLICT` when the id is taken by another state or sequence, or the sequence is not above the agent's last. Returns the
   * stored header when it is the same checkpoint, put again by a retry.
   */
  put(header: CheckpointHeader): CheckpointHeader | undefined {
    const { agentId, id, sequence, stateHash } = header;
    const changes = this.#of(agentId);
    const taken = this.#find(agentId, id, changes);
    if (taken !== undefined) {
      if (taken.stateHash === stateHash && taken.sequence === sequence) return taken;
      throw conflict(`The id ${JSON.stringify(id)} is taken by another state or sequence.`, header);
    }
    if (!Number.isSafeInteger(sequence) || sequence <= changes.lastSequence)
      throw conflict(`Sequence ${sequence} is not above ${changes.lastSequence}, the agent's last.`, header);
    changes.lastSequence = sequence;
    changes.put.set(id, header);
    changes.removed.delete(id);
    return undefined;
  }

  remove(agentId: string, ids: readonly string[]): void {
    const changes = this.#of(agentId);
    for (const id of ids) {
      changes.put.delete(id);
      changes.removed.add(id);
    }
  }

  #find(agentId: string, id: string, changes: Changes): CheckpointHeader | undefined {
    return (
      changes.put.get(id) ?? (changes.removed.has(id) ? undefined : this.#stored(agentId)?.get(id)?.header)
    );
  }

  #of(agentId: string): Changes {
    const known = this.#changes.get(agentId);
    if (known !== undefined) return known;
    const lastSequence = this.#stored(agentId)?.lastSequence ?? 0;
    const fresh: Changes = { lastSequence, put: new Map(), removed: new Set() };
    this.#changes.set(agentId, fresh);
    return fresh;
  }
}

function conflict(message: string, { agentId, id, sequence }: CheckpointHeader): CkptError {
  return new CkptError("CKPT_CONFLICT", {
    message,
    hint: "Someone else wrote this agent, or an import brought the id; read the agent again.",
    details: { agentId, checkpointId: id, sequence },
  });
}
