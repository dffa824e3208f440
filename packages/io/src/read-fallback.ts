import { toCkptError } from "./classify.js";
import { type FallbackResult, withFallbacks } from "./fallback.js";
import type { FileSystem } from "./file-system.js";
import { nodeFileSystem } from "./node-file-system.js";
import { readChunks } from "./read-chunks.js";
import { type RetryOptions, retry } from "./retry.js";
import { readSmallFile, tooLong } from "./small-file.js";

/** Options of {@link readWithFallbacks}. */
export interface ReadWithFallbacksOptions {
  /** The file system; default: this machine's. */
  readonly fs?: FileSystem;
  /** The longest file that is taken into memory, in bytes; default 256 MiB. Above it: `CKPT_LIMIT`. */
  readonly maxBytes?: number;
  /** Throws when bytes are not what they should be; then the next way is tried. */
  readonly verify?: (bytes: Uint8Array, path: string) => void | Promise<void>;
  /** How transient errors are tried again, per way. */
  readonly retry?: RetryOptions;
  readonly signal?: AbortSignal;
}

/** One way to read one file. */
export interface ReadWay {
  readonly path: string;
  /** `"whole"`: in one read. `"pieces"`: 64 KiB at a time, which some failing disks and network mounts still manage. */
  readonly method: "whole" | "pieces";
}

const PIECE_BYTES = 64 * 1024;

/**
 * Reads the first of `paths` that can be read and verified: each in one read, then in small pieces, then the next path.
 * Throws `CKPT_ALL_FAILED` with every way that was tried, and with what each said: `CKPT_UNSUPPORTED` where it is no regular file.
 */
export async function readWithFallbacks(
  paths: readonly string[],
  options: ReadWithFallbacksOptions = {},
): Promise<FallbackResult<ReadWay, Uint8Array>> {
  const ways = paths.flatMap((path): ReadWay[] => [
    { path, method: "whole" },
    { path, method: "pieces" },
  ]);
  const retryOptions =
    options.signal === undefined ? options.retry : { signal: options.signal, ...options.retry };
  return withFallbacks(
    ways,
    (way) =>
      retry(async () => {
        const bytes = await readBy(way, options).catch((error: unknown) => {
          throw toCkptError(error, { doing: "read", path: way.path });
        });
        await options.verify?.(bytes, way.path);
        return bytes;
      }, retryOptions),
    options.signal === undefined ? {} : { signal: options.signal },
  );
}

async function readBy(way: ReadWay, options: ReadWithFallbacksOptions): Promise<Uint8Array> {
  const { fs = nodeFileSystem, maxBytes = 256 * 1024 * 1024 } = options;
  if (way.method === "whole") return readSmallFile(way.path, maxBytes, fs);
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of readChunks(way.path, { fs, chunkBytes: PIECE_BYTES })) {
    bytes += piece.length;
    if (bytes > maxBytes) throw tooLong(way.path, bytes, maxBytes);
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}
