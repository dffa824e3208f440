/** From a chain in a segment to a verified state. */
import { setTimeout as sleep } from "node:timers/promises";
import { type RecordSink, type Snapshot, StateAssembler, throwIfAborted } from "@ckpt/core";
import { CkptError, isCkptError } from "@ckpt/errors";
import {
  classify,
  type FileHandle,
  type FileSystem,
  isErrno,
  readFully,
  Slices,
  streamRecord,
  toCkptError,
} from "@ckpt/io";
import type { PutEntry } from "./entry.js";
import type { StoreLayout } from "./layout.js";
import type { OnProgress } from "./progress.js";
import { countInRecord, RecordFeed } from "./record-feed.js";
import { BadRecord, recordBodies } from "./record-frames.js";

/** Records of a chain that lie this close are fetched in one read. */
const GAP_BYTES = 64 * 1024;
/** One read fetches at most so much; a record that is longer is streamed. */
const READ_BYTES = 2 * 1024 * 1024;

/** How often a state is read before a failing device has damaged it, and the pause in between, in milliseconds. */
const ATTEMPTS = 4;
const PAUSE_MS = 20;

/** The deepest state that any writer may have stored. */
const MAX_DEPTH = 1000;
const MIN_LIMIT_BYTES = 64 * 1024;

export interface LoadOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: OnProgress | undefined;
}

/** The keyframe of a put's chain, the deltas after it, and the put itself. */
function chainOf(put: PutEntry): PutEntry[] {
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
  options: LoadOptions = {},
): Promise<Snapshot> {
  const path = layout.segment(put.segment);
  for (let attempt = 1; ; attempt++) {
    try {
      return await loadOnce(fs, path, put, options);
    } catch (error) {
      // A device that fails once, and not again, has damaged nothing: who believes it goes back to an older state.
      const mayPass = isErrno(error, "EIO") && attempt < ATTEMPTS;
      if (!mayPass) throw loadError(error, put, path);
      await sleep(PAUSE_MS);
    }
  }
}

async function loadOnce(
  fs: FileSystem,
  path: string,
  put: PutEntry,
  options: LoadOptions,
): Promise<Snapshot> {
  const handle = await fs.open(path, { access: "read" });
  try {
    return await new ChainReader(handle, chainOf(put), options).read();
  } finally {
    await handle.close();
  }
}

/** Reads a chain into an assembler, in slices. */
class ChainReader {
  readonly #handle: FileHandle;
  readonly #chain: readonly PutEntry[];
  readonly #assembler: StateAssembler;
  readonly #options: LoadOptions;
  readonly #slices = new Slices();
  readonly #totalBytes: number;
  #doneBytes = 0;

  constructor(handle: FileHandle, chain: readonly PutEntry[], options: LoadOptions) {
    this.#handle = handle;
    this.#chain = chain;
    this.#options = options;
    this.#assembler = new StateAssembler(limitsFor(chain[chain.length - 1]!));
    this.#totalBytes = chain.reduce((sum, put) => sum + put.sectionBytes, 0);
  }

  async read(): Promise<Snapshot> {
    const chain = this.#chain;
    for (let i = 0; i < chain.length; ) {
      throwIfAborted(this.#options.signal, "load");
      const isLong = chain[i]!.length > READ_BYTES;
      const count = isLong ? countInRecord(chain, i) : nearby(chain, i);
      const puts = chain.slice(i, i + count);
      await (isLong ? this.#stream(puts) : this.#readTogether(puts));
      i += count;
    }
    return this.#assembler.finish(chain[chain.length - 1]!.header.stateHash);
  }

  /** Records that lie close together, in one read. */
  async #readTogether(puts: readonly PutEntry[]): Promise<void> {
    const start = puts[0]!.offset;
    const last = puts[puts.length - 1]!;
    const bytes = Buffer.allocUnsafeSlow(last.offset + last.length - start);
    const there = bytes.subarray(0, await readFully(this.#handle, bytes, 0, bytes.length, start));
    for (let i = 0; i < puts.length; ) {
      const { offset, length } = puts[i]!;
      const count = countInRecord(puts, i);
      const feed = this.#feedFor(puts.slice(i, i + count));
      for (const body of recordBodies(there, start, offset, length)) {
        feed.take(body);
        while (feed.step()) {
          const pause = this.#slices.pause();
          if (pause !== undefined) await this.#rest(pause);
        }
      }
      feed.end();
      i += count;
    }
  }

  /** A long record, fragment by fragment. */
  async #stream(puts: readonly PutEntry[]): Promise<void> {
    const feed = this.#feedFor(puts);
    for await (const body of streamRecord(this.#handle, puts[0]!.offset)) {
      feed.take(body);
      do {
        const pause = this.#slices.pause();
        if (pause !== undefined) await this.#rest(pause);
      } while (feed.step());
    }
    feed.end();
  }

  async #rest(pause: Promise<void>): Promise<void> {
    await pause;
    throwIfAborted(this.#options.signal, "load");
  }

  #feedFor(puts: readonly PutEntry[]): RecordFeed {
    return new RecordFeed(puts, (put) => this.#sinkFor(put));
  }

  #sinkFor(put: PutEntry): RecordSink {
    const sink = put.base === null ? this.#assembler.keyframe() : this.#assembler.delta();
    return {
      push: (part, isKept) => {
        sink.push(part, isKept);
        this.#doneBytes += part.length;
        this.#options.onProgress?.({ doneBytes: this.#doneBytes, totalBytes: this.#totalBytes });
      },
      end: () => sink.end(),
    };
  }
}

/** The state was within its writer's limits, which are not known here; its weight is. Nothing may grow beyond it by much. */
function limitsFor({ header }: PutEntry): { maxDepth: number; maxNodes: number; maxBytes: number } {
  const maxBytes = Math.max(MIN_LIMIT_BYTES, header.stateBytes * 2);
  return { maxDepth: MAX_DEPTH, maxNodes: maxBytes, maxBytes };
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
