/** The segments of one writer, as a reader finds them. */
import { classify, type FileSystem } from "@ckpt/io";
import type { StoredEntry } from "./entry.js";
import { readHeads, type SegmentHead } from "./heads.js";
import { parseSegmentFile, type StoreLayout, segmentKey } from "./layout.js";
import { Segment, type SegmentContext } from "./segment.js";
import { writerState } from "./writer-liveness.js";

/** What changed since the last look. */
export interface WriterChanges {
  readonly opened: readonly Segment[];
  readonly gone: readonly Segment[];
  readonly appended: ReadonlyMap<Segment, readonly StoredEntry[]>;
  /** Segments whose end moved back, because a later one said where they end. */
  readonly cut: readonly Segment[];
}

export class WriterSegments {
  readonly writerId: string;
  readonly segments = new Map<number, Segment>();
  state: "living" | "ended" = "living";
  heads: readonly SegmentHead[] | "absent" | "damaged" = "absent";
  /** Paths of segments that are there and cannot be read, with the device's error. */
  readonly unreadable = new Map<string, unknown>();
  readonly #context: SegmentContext;

  constructor(context: SegmentContext, writerId: string) {
    this.#context = context;
    this.writerId = writerId;
  }

  /** Whether nothing can have changed since the last look. */
  get isSettled(): boolean {
    return this.state === "ended" && this.unreadable.size === 0;
  }

  /** Whether compaction can take all that the writer has left. */
  get isFoldable(): boolean {
    if (!this.isSettled) return false;
    for (const segment of this.segments.values()) if (!segment.isWhole || segment.isNewer) return false;
    return true;
  }

  /** Length of all its segments, as far as they hold something. */
  get bytes(): number {
    let bytes = 0;
    for (const segment of this.segments.values()) bytes += segment.end.length;
    return bytes;
  }

  /** Forgets the segments that were replaced; resolves to them. */
  dropReplaced(isReplaced: (key: string) => boolean): Segment[] {
    const dropped = [...this.segments.values()].filter((segment) => isReplaced(segment.key));
    for (const segment of dropped) this.segments.delete(segment.number);
    return dropped;
  }

  /** A look has failed half-way: what it has opened is opened anew by the next one, which takes nothing for settled. */
  takeBack(before: readonly Segment[]): void {
    for (const [number, segment] of this.segments)
      if (!before.includes(segment)) this.segments.delete(number);
    this.state = "living";
  }

  get #fs(): FileSystem {
    return this.#context.fs;
  }

  get #layout(): StoreLayout {
    return this.#context.layout;
  }

  /** Looks at the directory anew; segments for which `isReplaced` holds are passed over. */
  async refresh(isReplaced: (key: string) => boolean): Promise<WriterChanges> {
    // First whether it lives, then its files: one that ended in between is looked at once more the next time.
    this.state = await writerState(this.#fs, this.#layout, this.writerId);
    this.heads = await readHeads(this.#fs, this.#layout, this.writerId);
    this.unreadable.clear();
    const numbers = await this.#numbers();
    const wanted = new Set(
      numbers.filter((n) => !isReplaced(segmentKey({ writerId: this.writerId, number: n }))),
    );
    const gone = [...this.segments.values()].filter((segment) => !wanted.has(segment.number));
    for (const segment of gone) this.segments.delete(segment.number);
    const opened: Segment[] = [];
    const cut: Segment[] = [];
    const appended = new Map<Segment, readonly StoredEntry[]>();
    // Newest first: each says where the ones before it end.
    const voids = new Map<number, number>();
    for (const number of [...wanted].sort((a, b) => b - a)) {
      const voidFrom = voids.get(number);
      let segment = this.segments.get(number);
      if (segment === undefined) {
        segment = await this.#open(number, voidFrom);
        if (segment === undefined) continue;
        opened.push(segment);
      } else {
        const fresh = segment.hasHint ? [] : await advance(segment);
        if (fresh === undefined) {
          this.segments.delete(number);
          gone.push(segment);
          continue;
        }
        if (fresh.length > 0) appended.set(segment, fresh);
        if (voidFrom !== undefined && segment.setVoid(voidFrom)) cut.push(segment);
      }
      for (const { number: earlier, offset } of segment.voids) {
        voids.set(earlier, Math.min(offset, voids.get(earlier) ?? Number.POSITIVE_INFINITY));
      }
    }
    return { opened, gone, appended, cut };
  }

  /** Opens one segment; undefined when it went away meanwhile. */
  async #open(number: number, voidFrom: number | undefined): Promise<Segment | undefined> {
    const head = typeof this.heads === "string" ? undefined : this.heads.find((h) => h.number === number);
    const facts = { voidFrom, knownAckedBytes: head?.end.length };
    const segment = new Segment(this.#context, { writerId: this.writerId, number }, facts);
    try {
      // What failed once has not told anything yet.
      await segment.open().catch((error: unknown) => {
        if (classify(error) !== "damaged") throw error;
        return segment.open();
      });
    } catch (error) {
      const kind = classify(error);
      // A failing device is damage: it must not keep everything else from being listed.
      if (kind === "damaged") this.unreadable.set(segment.path, error);
      else if (kind !== "not-found") throw error;
      return undefined;
    }
    this.segments.set(number, segment);
    return segment;
  }

  /** Numbers of segments, or of hints whose segment is missing. */
  async #numbers(): Promise<number[]> {
    try {
      const names = await this.#fs.readdir(this.#layout.writer(this.writerId));
      return [...new Set(names.flatMap((name) => parseSegmentFile(name)?.number ?? []))];
    } catch (error) {
      // Folded away by compaction, or never there.
      if (classify(error) === "not-found" || (error as NodeJS.ErrnoException).code === "ENOTDIR") return [];
      throw error;
    }
  }
}

/** What was appended since; undefined when the file went away meanwhile: compaction has replaced it. */
async function advance(segment: Segment): Promise<StoredEntry[] | undefined> {
  try {
    return await segment.advance();
  } catch (error) {
    if (classify(error) === "not-found") return undefined;
    throw error;
  }
}
