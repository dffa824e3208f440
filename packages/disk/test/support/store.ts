import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { type CheckpointStore, type Json, type Snapshot, type StoreEntry, snapshot } from "@ckpt/core";
import { afterEach } from "vitest";

const directories: string[] = [];

afterEach(async () => {
  for (const directory of directories.splice(0)) await rm(directory, { recursive: true, force: true });
});

/** A fresh path below a temporary directory that goes with the test. */
export async function freshDirectory(): Promise<string> {
  const directory = await mkdtemp(path.join(tmpdir(), "ckpt-disk-"));
  directories.push(directory);
  return path.join(directory, "store");
}

export interface PutOptions {
  readonly previous?: Snapshot | undefined;
  readonly metadata?: { readonly [key: string]: Json };
  readonly parentId?: string | null;
}

/** A put of `value` as the agent's checkpoint number `sequence`. */
export function put(agentId: string, sequence: number, value: unknown, options: PutOptions = {}) {
  const { previous, metadata = {}, parentId = sequence > 1 ? `${agentId}:${sequence - 1}` : null } = options;
  return {
    op: "put" as const,
    header: {
      id: `${agentId}:${sequence}`,
      agentId,
      sequence,
      name: "routine",
      timestamp: new Date(1_700_000_000_000 + sequence * 1000).toISOString(),
      parentId,
      metadata,
      schemaVersion: null,
    },
    snapshot: snapshot(value, previous === undefined ? {} : { previous }),
  };
}

export function remove(agentId: string, ...sequences: number[]): StoreEntry {
  return {
    op: "remove",
    agentId,
    ids: sequences.map((sequence) => `${agentId}:${sequence}`),
    reason: "test",
  };
}

/** Saves states made by `make` one after another, each sharing with the one before. */
export async function saveAll(
  store: CheckpointStore,
  agentId: string,
  count: number,
  make: (i: number) => unknown,
  first = 1,
): Promise<void> {
  let previous: Snapshot | undefined;
  for (let i = first; i < first + count; i++) {
    const entry = put(agentId, i, make(i), { previous, metadata: { turn: i } });
    previous = entry.snapshot;
    await store.commit([entry]);
  }
}

/** All files below a directory, with their sizes. What a store at work takes away meanwhile (a temporary file) is not among them. */
export async function filesOf(directory: string): Promise<Map<string, number>> {
  const files = new Map<string, number>();
  for (const name of (await readdir(directory, { recursive: true })).sort()) {
    const found = await stat(path.join(directory, name)).catch(ifGone);
    if (found?.isFile()) files.set(name, found.size);
  }
  return files;
}

/** For a look at a file that may be taken away meanwhile. */
export function ifGone(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT") throw error;
}

export async function bytesOf(directory: string): Promise<number> {
  let bytes = 0;
  for (const size of (await filesOf(directory)).values()) bytes += size;
  return bytes;
}

/** The code that a promise rejects with, or `none`. */
export async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return "none";
  } catch (error) {
    return String((error as { code?: unknown }).code ?? error);
  }
}

/** Everything that verify and reads report. */
export async function findingsOf(store: CheckpointStore) {
  const findings = [...store.takeFindings()];
  for await (const finding of store.verify()) findings.push(finding);
  return findings;
}
