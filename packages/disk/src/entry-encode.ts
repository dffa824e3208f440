/** Entries in the form that commits and hints store: docs/format.md, "Commit". */
import type { CheckpointHeader } from "@ckpt/core";
import { compactId } from "./compact-id.js";
import type { PutEntry, StoredEntry } from "./entry.js";
import { diffMetadata } from "./metadata-patch.js";

export type RawEntry = readonly unknown[];

/** One entry as an array for JSON. */
export function encodeEntry(entry: StoredEntry): RawEntry {
  const { agentId, epoch, n } = entry;
  switch (entry.kind) {
    case "put":
      return encodePut(entry);
    case "removal":
      return ["r", agentId, epoch, n, entry.ids.map((id) => compactId(agentId, id)), entry.reason];
    case "event":
      return ["e", agentId, epoch, n, entry.event];
    case "sequence":
      return ["s", agentId, epoch, n, entry.lastSequence, entry.seen];
    case "gone":
      return ["g", agentId, epoch, n];
  }
}

/** A put; `metadata` is its metadata in written form, where the caller has it. */
export function encodePut(entry: PutEntry, metadata: unknown = writtenMetadata(entry)): RawEntry {
  const { header, agentId, epoch, n, base, sectionBytes } = entry;
  const raw: unknown[] = [
    "p",
    agentId,
    epoch,
    n,
    header.sequence,
    sectionBytes,
    base === null ? 0 : base.n,
    hexToBase64url(header.stateHash),
    header.stateBytes,
    header.name,
    header.timestamp,
    compactId(agentId, header.parentId),
    metadata,
  ];
  const id = writtenId(header);
  if (header.schemaVersion !== null || id !== undefined) raw.push(header.schemaVersion);
  if (id !== undefined) raw.push(id);
  return raw;
}

const hashBytes = Buffer.alloc(32);

function hexToBase64url(hex: string): string {
  hashBytes.write(hex, "hex");
  return hashBytes.toString("base64url");
}

function writtenMetadata({ base, header }: PutEntry): unknown {
  return base === null ? header.metadata : diffMetadata(base.header.metadata, header.metadata);
}

/** The id where it is not the agent id, a colon and the sequence. */
function writtenId({ agentId, id, sequence }: CheckpointHeader): number | string | undefined {
  const compact = compactId(agentId, id);
  return compact === sequence ? undefined : compact;
}
