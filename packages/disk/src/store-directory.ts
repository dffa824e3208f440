/**
 * What is in the store's directory: which segments count, ours and those of other writers, and what is wrong with the files.
 * Only reads. It follows what other processes do when asked to look again.
 */
import type { StoreFinding } from "@ckpt/core";
import { classify, type FileSystem } from "@ckpt/io";
import type { Findings } from "./findings.js";
import { readStoreId } from "./format-file.js";
import { checkHeads } from "./head-check.js";
import { listHeads } from "./heads.js";
import { isWriterId, type SegmentName, type StoreLayout, segmentKey } from "./layout.js";
import { type Manifest, NO_MANIFEST, readManifest } from "./manifest.js";
import { mapBounded } from "./map-bounded.js";
import { newerSegment } from "./refusals.js";
import type { Segment, SegmentContext } from "./segment.js";
import { damagedFile, foreignSegment, segmentFindings, writerFindings } from "./segment-findings.js";
import { checkDirectories } from "./unsafe-path.js";
import { type UnreadableSegment, type WriterChanges, WriterSegments } from "./writer-segments.js";

const PARALLEL = 8;
/** How often a look is repeated because others changed the directory meanwhile. */
const MAX_ROUNDS = 8;

/** Who keeps something that a look may make out of date. */
export interface DirectoryListener {
  /** Segments came, went or grew. */
  changed(changes: WriterChanges): void;
  /** Compaction has moved checkpoints. Called inside the look: must not ask for another. */
  moved(): Promise<void>;
}

export class StoreDirectory {
  readonly #fs: FileSystem;
  readonly #layout: StoreLayout;
  readonly #findings: Findings;
  readonly #listener: DirectoryListener;
  readonly #writers = new Map<string, WriterSegments>();
  readonly #own = new Map<string, Segment>();
  #ownWriterId: string | undefined;
  #manifest: Manifest = NO_MANIFEST;
  #storeId: string | undefined;
  /** Number of the manifest that all writers were last looked at with. */
  #seen = NO_MANIFEST.number;
  #running: Promise<void> | undefined;
  #queued: Promise<void> | undefined;
  #isOpen = false;
  /** `FORMAT` is there and makes no sense. */
  isFormatDamaged = false;

  constructor({ fs, layout }: SegmentContext, findings: Findings, listener: DirectoryListener) {
    this.#fs = fs;
    this.#layout = layout;
    this.#findings = findings;
    this.#listener = listener;
  }

  get storeId(): string | undefined {
    return this.#storeId;
  }

  get manifest(): Manifest {
    return this.#manifest;
  }

  get writers(): ReadonlyMap<string, WriterSegments> {
    return this.#writers;
  }

  /** Writers that were found ended when they were looked at, and of which everything can be read. */
  get foldableWriters(): WriterSegments[] {
    return [...this.#writers.values()].filter((writer) => writer.isFoldable);
  }

  /** Whether another process may be writing. */
  get othersLive(): boolean {
    for (const { state } of this.#writers.values()) if (state === "living") return true;
    return false;
  }

  /** Whether segments are gone of which only recorded heads tell. Who has a copy may bring them back. */
  get missesSome(): boolean {
    for (const writer of this.#writers.values())
      if (writer.misses((key) => this.isReplaced(key))) return true;
    return false;
  }

  /** Segments that are there and cannot be read: what they hold is not known. */
  get unreadable(): readonly string[] {
    return [...this.#writers.values()].flatMap((writer) => [...writer.unreadable.keys()]);
  }

  /** Those of them that may hold something of the agent. */
  unreadableOf(agentId: string): UnreadableSegment[] {
    return [...this.#writers.values()].flatMap(({ unreadable }) =>
      [...unreadable.values()].filter(({ agents }) => agents?.has(agentId) !== false),
    );
  }

  /** What is wrong with the files that are no segments, and with segments that cannot be read at all. */
  structuralFindings(): StoreFinding[] {
    const findings = this.#manifest.damaged.map((number) => damagedFile(this.#layout.manifest(number)));
    if (this.isFormatDamaged) findings.push(damagedFile(this.#layout.formatFile));
    for (const writer of this.#writers.values())
      findings.push(...writerFindings(this.#layout.writer(writer.writerId), writer));
    return findings;
  }

  /** All segments that count: those of other writers, and our own. */
  segments(): Segment[] {
    const all = [...this.#writers.values()].flatMap((writer) => [...writer.segments.values()]);
    return [...all, ...this.#own.values()];
  }

  /** Whether the segment counts: it was there at the last look, and nothing has replaced it. */
  has(name: SegmentName): boolean {
    if (this.#own.has(segmentKey(name))) return true;
    return this.#writers.get(name.writerId)?.segments.has(name.number) === true;
  }

  isReplaced(key: string): boolean {
    return this.#manifest.replaced.has(key);
  }

  /** Reads the directory the first time. */
  open(): Promise<void> {
    return this.#isOpen ? Promise.resolve() : this.refresh();
  }

  /** Looks at the directory anew; what is seen is not older than the call. */
  refresh(): Promise<void> {
    if (this.#running === undefined) {
      this.#running = this.#look().finally(() => {
        this.#running = undefined;
      });
      return this.#running;
    }
    // The one under way may have passed by what the caller wants to see: one more, shared by all who wait.
    this.#queued ??= this.#running
      .catch(() => undefined)
      .then(() => {
        this.#queued = undefined;
        return this.refresh();
      });
    return this.#queued;
  }

  /** The same, with all of these writers (default: all that are known), also those that had ended at the last look. */
  async refreshWriters(writerIds: Iterable<string> = this.#writers.keys()): Promise<void> {
    for (const writerId of writerIds) {
      const writer = this.#writers.get(writerId);
      if (writer !== undefined) writer.state = "living";
    }
    await this.refresh();
  }

  /** Names this process's own writer, whose segments the log writer adds. */
  setOwnWriter(writerId: string, storeId: string): void {
    this.#ownWriterId = writerId;
    this.#storeId = storeId;
  }

  addOwn(segment: Segment): void {
    this.#own.set(segment.key, segment);
  }

  /** Segments that our compaction has replaced, and those that took their place. */
  replaceSegments(manifest: Manifest, outputs: readonly Segment[]): void {
    if (this.#seen === this.#manifest.number) this.#seen = manifest.number;
    this.#manifest = manifest;
    const gone: Segment[] = [];
    for (const writer of this.#writers.values())
      gone.push(...writer.dropReplaced((key) => this.isReplaced(key)));
    gone.push(...this.#dropReplacedOwn());
    this.adopt(outputs, gone);
  }

  /** Segments that our compaction has written and that are there from now on, whatever became of it. */
  adopt(outputs: readonly Segment[], gone: readonly Segment[] = []): void {
    for (const output of outputs) this.addOwn(output);
    this.#listener.changed({ opened: outputs, gone, appended: new Map(), cut: [] });
  }

  /** What the writer's recorded heads say about its segments. */
  async headFindings(writer: WriterSegments): Promise<StoreFinding[]> {
    const context = { fs: this.#fs, layout: this.#layout, isReplaced: (key: string) => this.isReplaced(key) };
    const findings = await checkHeads(context, writer);
    if (!findings.some(({ kind }) => kind === "missing")) return findings;
    // Who takes a segment away forgets its head first: these heads may be older than what was seen of the files.
    await writer.readHeads();
    return checkHeads(context, writer);
  }

  async #look(): Promise<void> {
    let found: StoreFinding[] = [];
    for (let round = 1; ; round++) {
      const seen = await this.#round(round > 1);
      // What was missing may be what compaction has replaced since the round before began: all heads are compared anew.
      found = [...found.filter(({ kind }) => kind !== "missing"), ...seen.found];
      // Files go only after the manifest that replaces them has come: while that is the same, what was seen is of one moment.
      const { number } = await readManifest(this.#fs, this.#layout, this.#manifest);
      if (number === seen.manifest || round === MAX_ROUNDS) break;
    }
    for (const finding of [...this.structuralFindings(), ...found]) this.#findings.add(finding);
  }

  async #round(isAgain: boolean): Promise<{ found: StoreFinding[]; manifest: number }> {
    if (!this.#isOpen) await checkDirectories(this.#fs, this.#layout);
    this.#manifest = await readManifest(this.#fs, this.#layout, this.#manifest);
    const { number } = this.#manifest;
    if (!this.#isOpen || this.isFormatDamaged || this.#storeId === undefined) await this.#readFormat();
    const isNewManifest = number !== this.#seen;
    if (isNewManifest) this.#dropReplacedOwn();
    const listed = await this.#listWriters();
    for (const id of [...this.#writers.keys()]) if (!listed.has(id)) this.#forget(id);
    const look = [...listed.keys()].filter((id) => {
      const writer = this.#writers.get(id);
      return isNewManifest || writer?.isSettled !== true || (writer.place === "gone") === listed.get(id);
    });
    const found = await mapBounded(look, PARALLEL, (id) => this.#lookAt(id, isAgain));
    this.#isOpen = true;
    if (isNewManifest) await this.#listener.moved();
    this.#seen = number;
    return { found: found.flat(), manifest: number };
  }

  async #readFormat(): Promise<void> {
    const read = await readStoreId(this.#fs, this.#layout);
    if (typeof read !== "string") this.#storeId = read.storeId;
    this.isFormatDamaged = read === "damaged";
  }

  /** The writers, and of each whether something has its name. Of a directory that was deleted whole its recorded heads are left. */
  async #listWriters(): Promise<Map<string, boolean>> {
    const recorded = await listHeads(this.#fs, this.#layout);
    const names = await this.#fs.readdir(this.#layout.writers).catch((error: unknown) => {
      if (classify(error) === "not-found") return [];
      throw error;
    });
    const listed = new Map(recorded.map((id) => [id, false]));
    for (const id of names.filter(isWriterId)) listed.set(id, true);
    if (this.#ownWriterId !== undefined) listed.delete(this.#ownWriterId);
    return listed;
  }

  async #lookAt(writerId: string, isAgain: boolean): Promise<StoreFinding[]> {
    const known = this.#writers.get(writerId);
    const writer = known ?? new WriterSegments({ fs: this.#fs, layout: this.#layout }, writerId);
    const before = [...writer.segments.values()];
    let changes: WriterChanges;
    try {
      changes = await writer.refresh((key) => this.isReplaced(key));
    } catch (error) {
      // Half a look must not pass for one. Its segments stay: an agent may be taken, or a compaction planned, by them this moment.
      writer.takeBack(before);
      this.#listener.changed({ opened: [], gone: before, appended: new Map(), cut: [] });
      throw error;
    }
    this.#writers.set(writerId, writer);
    const found = changes.opened.flatMap((segment) => this.#judge(writer, segment));
    this.#listener.changed(changes);
    const isLess = changes.gone.some((segment) => !this.isReplaced(segment.key));
    if (known === undefined || changes.opened.length > 0 || isLess || isAgain)
      found.push(...(await this.headFindings(writer)));
    return found;
  }

  /** What is wrong with a segment that was just opened; one of another store, or of a newer version, is left out. */
  #judge(writer: WriterSegments, segment: Segment): StoreFinding[] {
    if (segment.isNewer && segment.header === undefined) throw newerSegment(segment.path);
    const storeId = segment.header?.storeId;
    this.#storeId ??= storeId;
    if (storeId === undefined || storeId === this.#storeId) return segmentFindings(segment);
    writer.segments.delete(segment.number);
    return [foreignSegment(segment)];
  }

  #forget(writerId: string): void {
    const writer = this.#writers.get(writerId)!;
    this.#writers.delete(writerId);
    const gone = [...writer.segments.values()];
    this.#listener.changed({ opened: [], gone, appended: new Map(), cut: [] });
  }

  #dropReplacedOwn(): Segment[] {
    const dropped = [...this.#own.values()].filter((segment) => this.isReplaced(segment.key));
    for (const segment of dropped) this.#own.delete(segment.key);
    return dropped;
  }
}
