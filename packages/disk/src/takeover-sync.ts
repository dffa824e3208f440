/**
 * The page cache is not the disk: what a dead writer had written but not synced can be read now and be gone after a power
 * cut. So its segments are synced by whoever takes an agent over, before anything in them is relied on.
 */
import type { FileSystem } from "@ckpt/io";
import type { Findings } from "./findings.js";
import type { Segment } from "./segment.js";
import { syncFile } from "./sync-file.js";

export class TakeoverSync {
  readonly #fs: FileSystem;
  readonly #findings: Findings;
  /** Up to which length a segment is known to be on the disk. */
  readonly #synced = new Map<string, number>();
  /** Segments whose sync failed: a second one would only say that the pages are clean. */
  readonly #failed = new Set<string>();
  /** Segments of writers that live: what a failed write has left at the end may be voided yet. */
  readonly #living = new Set<string>();

  constructor(fs: FileSystem, findings: Findings) {
    this.#fs = fs;
    this.#findings = findings;
  }

  /** Whether what the segment holds can be taken for durable, and for what stays. */
  isTrusted(key: string): boolean {
    return !this.#failed.has(key) && !this.#living.has(key);
  }

  /** `isLiving`: whether the writer of a segment may still say where it ends. */
  async sync(segments: readonly Segment[], isLiving: (segment: Segment) => boolean): Promise<void> {
    for (const segment of segments) {
      if (isLiving(segment) && !segment.hasHint) this.#living.add(segment.key);
      else this.#living.delete(segment.key);
      await this.#syncOne(segment);
    }
  }

  async #syncOne(segment: Segment): Promise<void> {
    // A hint is written after its segment was synced.
    if (segment.hasHint || segment.isMissing || segment.isOwn || this.#failed.has(segment.key)) return;
    if ((this.#synced.get(segment.key) ?? 0) >= segment.end.length) return;
    const { length } = segment.end;
    try {
      await syncFile(this.#fs, segment.path);
      this.#synced.set(segment.key, length);
    } catch (error) {
      this.#failed.add(segment.key);
      this.#findings.add({
        kind: "stale",
        place: segment.path,
        message: `${segment.path} could not be synced: ${error instanceof Error ? error.message : String(error)}`,
        affectedIds: [],
        remedy: "What was acknowledged is on the disk; a retry of what was not is written anew.",
      });
    }
  }
}
