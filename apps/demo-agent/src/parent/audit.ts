import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { CheckpointStore } from "@ckpt/core";
import { isCkptError } from "@ckpt/errors";
import { AGENT_ID } from "../shared/layout.js";
import type { Ack } from "./ledger.js";

/** What reading the real store said about the acknowledged checkpoints. */
export interface Audit {
  /** Acknowledged checkpoints that are listed with the state hash of their acknowledgement. */
  readonly listed: number;
  /** Those of them whose state was also read back and verified. */
  readonly loaded: number;
  /** What is not there, or not what was acknowledged; one line each. */
  readonly lost: readonly string[];
}

/**
 * Looks each acknowledged checkpoint up in the store, and reads the states of those in `toLoad`: a load verifies every byte
 * against the state hash, or rejects.
 */
export async function audit(
  store: CheckpointStore,
  acks: ReadonlyMap<string, Ack>,
  toLoad: ReadonlySet<string>,
): Promise<Audit> {
  const headers = new Map((await store.list(AGENT_ID)).map((header) => [header.id, header]));
  const lost: string[] = [];
  let [listed, loaded] = [0, 0];
  for (const ack of acks.values()) {
    const header = headers.get(ack.checkpointId);
    if (header === undefined) {
      lost.push(`${ack.checkpointId} (step ${ack.step}) is not in the store`);
      continue;
    }
    if (header.stateHash !== ack.stateHash || header.sequence !== ack.sequence) {
      lost.push(`${ack.checkpointId} (step ${ack.step}) is in the store with another state`);
      continue;
    }
    listed += 1;
    if (!toLoad.has(ack.checkpointId)) continue;
    const failure = await loadFailure(store, ack.checkpointId);
    if (failure === undefined) loaded += 1;
    else lost.push(`${ack.checkpointId} (step ${ack.step}) cannot be read: ${failure}`);
  }
  return { listed, loaded, lost };
}

async function loadFailure(store: CheckpointStore, id: string): Promise<string | undefined> {
  try {
    await store.load(AGENT_ID, id);
    return undefined;
  } catch (error) {
    if (isCkptError(error)) return error.toString();
    throw error;
  }
}

/** Size of every checkpoint's state as JSON, in bytes, summed: what writing the whole state at each save would have cost. */
export async function wholeStateBytes(
  store: CheckpointStore,
): Promise<{ sum: number; last: number; saves: number }> {
  let [sum, last, saves] = [0, 0, 0];
  for (const { id } of await store.list(AGENT_ID)) {
    const snapshot = await store.load(AGENT_ID, id);
    last = Buffer.byteLength(JSON.stringify(snapshot.toTaggedJson()));
    sum += last;
    saves += 1;
  }
  return { sum, last, saves };
}

/** Sizes of all files under a directory, in bytes. */
export async function bytesUnder(directory: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(directory, { withFileTypes: true, recursive: true })) {
    if (entry.isFile()) bytes += (await stat(join(entry.parentPath ?? entry.path, entry.name))).size;
  }
  return bytes;
}
