/** From a chain in a segment to a verified state. */
import { type Snapshot, StateAssembler, throwIfAborted } from "@ckpt/core";
import { CkptError, isCkptError } from "@ckpt/errors";
import { classify, type FileHandle, type FileSystem, readFully, streamRecord, toCkptError } from "@ckpt/io";
import type { PutEntry } from "./entry.js";
import type { StoreLayout } from "./layout.js";
import { BadRecord, overlap, recordBodies } from "./record-frames.js";
import { Slices } from "./slices.js";

/** Records of a chain that lie this close are fetched in one read. */
const GAP_BYTES = 64 * 1024;
/** One read fetches at most so much; a record that is longer is streamed. */
const READ_BYTES = 2 * 1024 * 1024;

/** The deepest state that any writer may have stored. */
const MAX_DEPTH = 1000;
const MIN_LIMIT_BYTES = 64 * 1024;

interface Sink {
  push(bytes: Uint8Array): void;
  end(): void;
}

/** The keyframe of a put's chain, the deltas after it, and the put itself. */
export function chainOf(put: PutEntry): PutEntry[] {
  const chain: PutEntry[] = [];
  for (let at: PutEntry | null = put; at !== null; at = at.base) chain.push(at);
  return chain.reverse();
}

/**
 * The state of `put`. Rejects with `CKPT_CORRUPT` (path, offset) when any byte that it depends on is damaged, `CKPT_NOT_FOUND`
 * when the segment's file is not there.
 */
export async function loadState(
  fs: FileSystem,
  layout: StoreLayout,
  put: PutEntry,
  signal?: AbortSignal | undefined,
): Promise<Snapshot> {
  const path = layout.segment(put.segment);
  let handle: FileHandle | undefined;
  try {
    handle = await fs.open(path, { access: "read" });
    return await assemble(handle, chainOf(put), signal);
  } catch (error) {
    throw loadError(error, put, path);
  } finally {
    await handle?.close();
  }
}

async function assemble(
  handle: FileHandle,
  chain: readonly PutEntry[],
  signal: AbortSignal | undefined,
): Promise<Snapshot> {
  const assembler = new StateAssembler(limitsFor(chain[chain.length - 1]!));
  const slices = new Slices();
  for (let i = 0; i < chain.length; ) {
    throwIfAborted(signal, "load");
    const first = chain[i]!;
    const count = first.length > READ_BYTES ? 1 : nearby(chain, i);
    if (first.length > READ_BYTES) await streamSection(handle, first, sinkFor(assembler, first), slices);
    else await readSections(handle, chain.slice(i, i + count), assembler, slices);
    i += count;
  }
  return assembler.finish(chain[chain.length - 1]!.header.stateHash);
}

/** The state was within its writer's limits, which are not known here; its weight is. Nothing may grow beyond it by much. */
function limitsFor({ header }: PutEntry): { maxDepth: number; maxNodes: number; maxBytes: number } {
  const maxBytes = Math.max(MIN_LIMIT_BYTES, header.stateBytes * 2);
  return { maxDepth: MAX_DEPTH, maxNodes: maxBytes, maxBytes };
}

function sinkFor(assembler: StateAssembler, put: PutEntry): Sink {
  return put.base === null ? assembler.keyframe() : assembler.delta();
}

/** How many records from `from` on one read fetches. */
function nearby(chain: readonly PutEntry[], from: number): number {
  const start = chain[from]!.offset;
  let count = 1;
  for (; from + count < chain.length; count++) {
    const before = chain[from + count - 1]!;
    const next = chain[from + count]!;
    const gap = next.offset - (before.offset + before.length);
    // Puts of one batch are in one record.
    if (next.offset !== before.offset && (gap < 0 || gap > GAP_BYTES)) break;
    if (next.offset + next.length - start > READ_BYTES) break;
  }
  return count;
}

async function readSections(
  handle: FileHandle,
  puts: readonly PutEntry[],
  assembler: StateAssembler,
  slices: Slices,
): Promise<void> {
  const start = puts[0]!.offset;
  const last = puts[puts.length - 1]!;
  const bytes = Buffer.allocUnsafeSlow(last.offset + last.length - start);
  const read = await readFully(handle, bytes, 0, bytes.length, start);
  const there = bytes.subarray(0, read);
  for (const put of puts) {
    const sink = sinkFor(assembler, put);
    let at = 0;
    for (const body of recordBodies(there, start, put.offset, put.length)) {
      const part = overlap(body, at, put.sectionOffset, put.sectionOffset + put.sectionBytes);
      if (part !== undefined) sink.push(part);
      at += body.length;
    }
    if (at < put.sectionOffset + put.sectionBytes) throw new BadRecord(put.offset, "the record is too short");
    sink.end();
    const pause = slices.pause();
    if (pause !== undefined) await pause;
  }
}

async function streamSection(handle: FileHandle, put: PutEntry, sink: Sink, slices: Slices): Promise<void> {
  const end = put.sectionOffset + put.sectionBytes;
  let at = 0;
  for await (const body of streamRecord(handle, put.offset)) {
    const part = overlap(body, at, put.sectionOffset, end);
    if (part !== undefined) sink.push(part);
    at += body.length;
    const pause = slices.pause();
    if (pause !== undefined) await pause;
  }
  if (at < end) throw new BadRecord(put.offset, "the record is too short");
  sink.end();
}

function loadError(error: unknown, put: PutEntry, path: string): unknown {
  const { id, agentId } = put.header;
  const details = { agentId, checkpointId: id, path, offset: put.offset };
  if (error instanceof BadRecord) return corrupt(error, { ...details, at: error.at });
  if (isCkptError(error, "CKPT_CORRUPT")) return corrupt(error, { ...details, ...error.details });
  if (isCkptError(error)) return error;
  if (classify(error) === "damaged") return corrupt(error, details);
  return toCkptError(error, { doing: `load ${id} from`, path, details });
}

function corrupt(cause: unknown, details: Record<string, unknown>): CkptError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new CkptError("CKPT_CORRUPT", {
    message: `The checkpoint ${JSON.stringify(details.checkpointId)} is damaged in ${String(details.path)}: ${why}`,
    hint: "Restore the newest older checkpoint, or read it from a mirror. Do not delete the file; repair() keeps what can be read.",
    cause,
    details,
  });
}
