/** The segments of one writer, as a reader finds them. */
import { classify, type FileSystem } from "@ckpt/io";
import type { StoredEntry } from "./entry.js";
import { readHeads, type SegmentHead } from "./heads.js";
import { readHintDirectory } from "./hint-file.js";
import { isWriterFile, parseSegmentFile, type StoreLayout, segmentKey } from "./layout.js";
import { Segment, type SegmentContext } from "./segment.js";
import { isUnsafePath } from "./unsafe-path.js";
import { writerState } from "./writer-liveness.js";

/** What changed since the last look. */
export interface WriterChanges {
  readonly opened: readonly Segment[];
  readonly gone: readonly Segment[];
  readonly appended: ReadonlyMap<Segment, readonly StoredEntry[]>;
  /** Segments whose end moved back, because a later one said where they end. */
  readonly cut: readonly Segment[];
}

/** A segment that is there and cannot be read. */
export interface UnreadableSegment {
  readonly key: string;
  readonly path: string;
  readonly error: unknown;
  /** The agents that it holds, where its hint tells. */
  readonly agents: ReadonlySet<string> | undefined;
}

/** What goes by a writer's name: `gone` where only its recorded heads are left, `foreign` where it is no directory. */
type Place = "directory" | "gone" | "foreign";

export class WriterSegments {
  readonly writerId: string;
  readonly segments = new Map<number, Segment>();
  state: "living" | "ended" = "living";
  place: Place = "directory";
  heads: readonly SegmentHead[] | "absent" | "damaged" = "absent";
  /** By path. */
  readonly unreadable = new Map<string, UnreadableSegment>();
  /** Why its lease could not be read, which leaves it living. */
  badLease: unknown;
  /** Files that are not the store's keep the directory where it is. */
  #hasOthers = false;
  readonly #context: SegmentContext;

  constructor(context: SegmentContext, writerId: string) {
    this.#context = context;
    this.writerId = writerId;
  }

  /** Whether nothing can have changed since the last look. */
  get isSettled(): boolean {
    return this.state === "ended" && this.place !== "foreign" && this.unreadable.size === 0;
  }

  /** Whether compaction can take all that the writer has left. */
  get isFoldable(): boolean {
    if (!this.isSettled || this.place !== "directory") return false;
    if (this.#hasOthers && this.segments.size === 0) return false;
    for (const segment of this.segments.values()) if (!segment.isWhole || segment.isNewer) return false;
    return true;
  }

  /** Whether a recorded head names a segment of which nothing is there: what it held is not known. */
  misses(isReplaced: (key: string) => boolean): boolean {
    const { heads, writerId } = this;
    if (typeof heads === "string") return false;
    return heads.some(
      ({ number, isLost }) =>
        isLost !== true && !this.segments.has(number) && !isReplaced(segmentKey({ writerId, number })),
    );
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

  /** Reads what was recorded of the segments anew. */
  async readHeads(): Promise<void> {
    this.heads = await readHeads(this.#fs, this.#layout, this.writerId);
  }

  /** Looks at the directory anew; segments for which `isReplaced` holds are passed over. */
  async refresh(isReplaced: (key: string) => boolean): Promise<WriterChanges> {
    await this.#lookAtPlace();
    await this.readHeads();
    this.unreadable.clear();
    const files = await this.#files();
    const wanted = new Set(
      [...files.keys()].filter((n) => !isReplaced(segmentKey({ writerId: this.writerId, number: n }))),
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
      const fresh = segment === undefined || segment.hasHint ? [] : await this.#advance(segment, cut);
      if (fresh === undefined) {
        // The file went away meanwhile. Compaction has replaced it, or its hint is all that is left.
        this.segments.delete(number);
        gone.push(segment!);
        segment = undefined;
      }
      if (segment === undefined) {
        segment = await this.#open(number, voidFrom);
        if (segment === undefined) continue;
        opened.push(segment);
      } else {
        if (fresh!.length > 0) appended.set(segment, fresh!);
        if (voidFrom !== undefined && segment.setVoid(voidFrom)) cut.push(segment);
        if (files.get(number)!.includes("hint") && !this.unreadable.has(segment.path))
          await segment.adoptHint();
      }
      for (const { number: earlier, offset } of segment.voids) {
        voids.set(earlier, Math.min(offset, voids.get(earlier) ?? Number.POSITIVE_INFINITY));
      }
    }
    return { opened, gone, appended, cut };
  }

  /** Opens one segment; undefined when it went away meanwhile. */
  async #open(number: number, voidFrom: number | undefined): Promise<Segment | undefined> {
    const head =
      typeof this.heads === "string" ? undefined : this.heads.find((h) => h.number === number && !h.isLost);
    const facts = { voidFrom, knownAckedBytes: head?.end.length };
    const segment = new Segment(this.#context, { writerId: this.writerId, number }, facts);
    try {
      // What failed once has not told anything yet.
      await segment.open().catch((error: unknown) => {
        if (classify(error) !== "damaged") throw error;
        return segment.open();
      });
    } catch (error) {
      // What fails or is no plain file must not keep everything else from being listed.
      if (!(await this.#couldNotRead(segment, error)) && classify(error) !== "not-found") throw error;
      return undefined;
    }
    this.segments.set(number, segment);
    return segment;
  }

  /** What was appended since; undefined when the file is not there any more. */
  async #advance(segment: Segment, cut: Segment[]): Promise<StoredEntry[] | undefined> {
    try {
      return await segment.advance();
    } catch (error) {
      if (classify(error) === "not-found") return undefined;
      if (!(await this.#couldNotRead(segment, error))) throw error;
      // What was read of it stays, and how far this look got is not known: what is built on it is built anew.
      cut.push(segment);
      return [];
    }
  }

  /** Notes a segment that the device, or what stands in its place, keeps from being read; false for any other error. */
  async #couldNotRead(segment: Segment, error: unknown): Promise<boolean> {
    if (classify(error) !== "damaged" && !isUnsafePath(error)) return false;
    const hint = await readHintDirectory(this.#fs, this.#layout.hint(segment));
    const isItsOwn = hint?.header.writerId === segment.writerId && hint.header.number === segment.number;
    const agents = isItsOwn ? new Set(hint.agents.keys()) : undefined;
    const { key, path } = segment;
    this.unreadable.set(path, { key, path, error, agents });
    return true;
  }

  async #lookAtPlace(): Promise<void> {
    const found = await this.#fs.stat(this.#layout.writer(this.writerId));
    this.place = found === undefined ? "gone" : found.kind === "directory" ? "directory" : "foreign";
    // First whether it lives, then its files: one that ended in between is looked at once more the next time.
    this.state = this.place === "directory" ? await this.#readState() : "ended";
  }

  async #readState(): Promise<"living" | "ended"> {
    this.badLease = undefined;
    try {
      return await writerState(this.#fs, this.#layout, this.writerId);
    } catch (error) {
      if (classify(error) !== "damaged" && !isUnsafePath(error)) throw error;
      // Nothing is proven by a lease that cannot be read.
      this.badLease = error;
      return "living";
    }
  }

  /** Numbers of segments, or of hints whose segment is missing, and which of the two are there. */
  async #files(): Promise<Map<number, readonly string[]>> {
    const files = new Map<number, readonly string[]>();
    if (this.place !== "directory") return files;
    try {
      const names = await this.#fs.readdir(this.#layout.writer(this.writerId));
      this.#hasOthers = !names.every(isWriterFile);
      for (const name of names) {
        const file = parseSegmentFile(name);
        if (file !== undefined) files.set(file.number, [...(files.get(file.number) ?? []), file.kind]);
      }
    } catch (error) {
      if (classify(error) !== "not-found") throw error;
      this.place = "gone"; // folded away by compaction meanwhile
    }
    return files;
  }
}
