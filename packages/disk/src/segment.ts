/**
 * One segment as a reader sees it: which agents it holds, and their entries, from its hint where that is good, else from
 * its frames. Nothing here writes.
 */
import { classify, type FileHandle, type FileSystem, Slices } from "@ckpt/io";
import { replaceFile } from "./checked-json.js";
import type { StoredEntry } from "./entry.js";
import {
  type AgentSummary,
  encodeHint,
  type HintDirectory,
  readHintDirectory,
  readHintEntries,
  summarize,
} from "./hint-file.js";
import { type SegmentName, type StoreLayout, segmentKey } from "./layout.js";
import { endsWith, hasFrameAt, hasIntactFrameAt } from "./segment-end.js";
import type { SegmentHeader, VoidFrom } from "./segment-header.js";
import { type DamagedRegion, type Orphan, type SegmentEnd, SegmentScan } from "./segment-scan.js";
import { openPlain } from "./unsafe-path.js";

export interface SegmentContext {
  readonly fs: FileSystem;
  readonly layout: StoreLayout;
}

/** What is known about a segment from elsewhere when it is read. */
export interface SegmentFacts {
  /** From here on it holds nothing. */
  readonly voidFrom: number | undefined;
  /** A recorded head: so many bytes were acknowledged. */
  readonly knownAckedBytes: number | undefined;
}

export class Segment implements SegmentName {
  readonly writerId: string;
  readonly number: number;
  readonly key: string;
  readonly path: string;
  readonly #context: SegmentContext;
  #facts: SegmentFacts;
  #scan: SegmentScan | undefined;
  #directory: HintDirectory | undefined;
  #scanning: Promise<SegmentScan> | undefined;
  #noted: SegmentScan | undefined;
  /** The segment's file is not there; what its hint says is all that is left. */
  isMissing = false;
  /** Written by this process. */
  isOwn = false;
  /** It takes commits still, or is being closed: nobody else replaces it or derives anything from it. */
  isOpen = false;
  /** Its hint is being written: the file may be there before this object lives on it. */
  isWritingHint = false;

  constructor(context: SegmentContext, name: SegmentName, facts: SegmentFacts) {
    this.writerId = name.writerId;
    this.number = name.number;
    this.key = segmentKey(name);
    this.path = context.layout.segment(name);
    this.#context = context;
    this.#facts = facts;
  }

  /** The view of a segment that this process writes: it is told what was acknowledged. */
  static written(context: SegmentContext, header: SegmentHeader, end: SegmentEnd): Segment {
    const segment = new Segment(context, header, { voidFrom: undefined, knownAckedBytes: undefined });
    segment.isOwn = true;
    segment.#scan = new SegmentScan(segment);
    segment.#scan.header = header;
    segment.#scan.end = end;
    return segment;
  }

  get header(): SegmentHeader | undefined {
    return this.#directory?.header ?? this.#scan?.header;
  }

  get isCompacted(): boolean {
    return this.header?.compacted === true;
  }

  get voids(): readonly VoidFrom[] {
    return this.header?.voids ?? [];
  }

  /** Everything before it is known. */
  get end(): SegmentEnd {
    return (this.#directory?.end ?? this.#scan?.end)!;
  }

  get hasHint(): boolean {
    return this.#directory !== undefined;
  }

  get damages(): readonly DamagedRegion[] {
    return this.#noted?.damages ?? this.#scan?.damages ?? [];
  }

  get orphans(): readonly Orphan[] {
    return this.#noted?.orphans ?? this.#scan?.orphans ?? [];
  }

  get tornAt(): number | undefined {
    return this.#scan?.tornAt;
  }

  /** Whether all that it held is there and can be read. */
  get isWhole(): boolean {
    return !this.isMissing && this.damages.length + this.orphans.length === 0;
  }

  get isNewer(): boolean {
    return this.#scan?.newer === true;
  }

  agentIds(): IterableIterator<string> {
    return (this.#directory?.agents ?? this.#scan?.agents ?? new Map<string, unknown>()).keys();
  }

  has(agentId: string): boolean {
    return (this.#directory?.agents ?? this.#scan?.agents)?.has(agentId) === true;
  }

  summary(agentId: string): AgentSummary | undefined {
    const block = this.#directory?.agents.get(agentId);
    if (block !== undefined) return block;
    const entries = this.#scan?.agents.get(agentId);
    return entries === undefined ? undefined : summarize(entries);
  }

  /** Reads the hint, or else the frames. Throws the file system's error where the file cannot be read. */
  async open(): Promise<void> {
    const directory = await this.#readHint();
    if (directory !== undefined) {
      const fits = await this.#matches(directory.end);
      this.isMissing = fits === "missing";
      if (fits !== "differs") {
        this.#directory = directory;
        return;
      }
    }
    this.#scan = await this.#scanAll();
  }

  /** Takes up a hint that came after this segment was read. Resolves to whether there is one that fits. */
  async adoptHint(): Promise<boolean> {
    if (this.hasHint) return true;
    const directory = await this.#readHint();
    const scan = this.#scan;
    if (directory === undefined || scan === undefined || directory.end.length > scan.end.length) return false;
    if ((await this.#matches(directory.end)) !== "matches") return false;
    // What this process writes it has in memory, and damage that was read is known: the hint says nothing of that.
    if (!this.isOwn && scan === this.#scan && scan.damages.length + scan.orphans.length === 0) {
      this.#directory = directory;
      this.#scan = undefined;
    }
    return true;
  }

  async #readHint(): Promise<HintDirectory | undefined> {
    const { fs, layout } = this.#context;
    const directory = await readHintDirectory(fs, layout.hint(this));
    return directory !== undefined && sameName(directory.header, this) ? directory : undefined;
  }

  /** The entries of one agent, in the order of the file, without what is void. */
  async entries(agentId: string): Promise<readonly StoredEntry[]> {
    let entries: readonly StoredEntry[] | undefined;
    if (this.#directory !== undefined) {
      const { fs, layout } = this.#context;
      entries = await readHintEntries(fs, layout.hint(this), this.#directory, agentId, this);
      if (entries === undefined) {
        // The hint went bad or away after its directory was read.
        this.#scanning ??= this.#scanAll().finally(() => {
          this.#scanning = undefined;
        });
        this.#scan = await this.#scanning;
        this.#directory = undefined;
      }
    }
    entries ??= this.#scan?.agents.get(agentId) ?? [];
    const { voidFrom } = this.#facts;
    return voidFrom === undefined ? entries : entries.filter((entry) => entry.offset < voidFrom);
  }

  /**
   * Reads what a living writer has appended since. Resolves to the new entries. `voidFrom`: a later segment has said
   * meanwhile where this one ends.
   */
  async advance(): Promise<StoredEntry[]> {
    const scan = this.#scan;
    if (scan === undefined || this.isMissing) return [];
    const before = new Map([...scan.agents].map(([agentId, list]) => [agentId, list.length]));
    await this.#reading(async (handle) => {
      if (await hasFrameAt(handle, scan.end.length)) await scan.advance(handle, this.#limits());
    });
    return [...scan.agents].flatMap(([agentId, list]) => list.slice(before.get(agentId) ?? 0));
  }

  /** Reads and checks every frame of the file anew, whatever the hint says. */
  async rescan(signal?: AbortSignal): Promise<SegmentScan> {
    const scan = new SegmentScan(this);
    await this.#reading(async (handle) => {
      const limits = this.#limits();
      // What was acknowledged is known; bytes behind it may be on their way this moment.
      const known = Math.max(limits.knownAckedBytes ?? 0, this.hasHint || this.isOwn ? this.end.length : 0);
      await scan.advance(handle, {
        ...limits,
        ...(this.isOwn ? { to: this.end.length } : {}),
        knownAckedBytes: known,
        signal,
      });
    });
    return scan;
  }

  /** Remembers damage that a {@link rescan} met; what the hint knows of the segment stays. */
  noteDamage(scan: SegmentScan): void {
    this.#noted = scan;
  }

  /** Adds what this process has written and had acknowledged. */
  append(entries: readonly StoredEntry[], end: SegmentEnd): void {
    const scan = this.#scan!;
    for (const entry of entries) scan.add(entry);
    scan.end = end;
  }

  /** Writes the hint of this sealed segment, and lives on it from then on. */
  async writeHint(slices = new Slices()): Promise<void> {
    const scan = this.#scan;
    if (scan?.header === undefined || scan.damages.length + scan.orphans.length > 0) return;
    const { fs, layout } = this.#context;
    this.isWritingHint = true;
    try {
      await replaceFile(fs, layout.hint(this), await encodeHint(scan.header, scan.end, scan.agents, slices));
      const directory = await readHintDirectory(fs, layout.hint(this));
      if (directory === undefined) return;
      this.#directory = directory;
      this.#scan = undefined;
    } finally {
      this.isWritingHint = false;
    }
  }

  /** A later segment of the writer says that this one ends at `offset`. */
  setVoid(offset: number): boolean {
    if (this.#facts.voidFrom !== undefined && this.#facts.voidFrom <= offset) return false;
    this.#facts = { ...this.#facts, voidFrom: offset };
    return this.end.length > offset;
  }

  /** Whether the file is there and has, at the place that `end` names, a frame with that chain. */
  async #matches(end: SegmentEnd): Promise<"matches" | "differs" | "missing"> {
    let handle: FileHandle;
    try {
      handle = await openPlain(this.#context.fs, this.path);
    } catch (error) {
      if (classify(error) === "not-found") return "missing";
      throw error;
    }
    try {
      if (!(await endsWith(handle, end))) return "differs";
      // A sealed segment ends where its hint says. What stands behind it counts, unless a later segment says otherwise.
      const { voidFrom } = this.#facts;
      const isLonger =
        (voidFrom === undefined || voidFrom > end.length) && (await hasIntactFrameAt(handle, end.length));
      return isLonger ? "differs" : "matches";
    } finally {
      await handle.close();
    }
  }

  async #scanAll(): Promise<SegmentScan> {
    const scan = new SegmentScan(this);
    await this.#reading((handle) => scan.advance(handle, this.#limits()));
    return scan;
  }

  async #reading(work: (handle: FileHandle) => Promise<void>): Promise<void> {
    const handle = await openPlain(this.#context.fs, this.path);
    try {
      await work(handle);
    } finally {
      await handle.close();
    }
  }

  #limits(): { to?: number; knownAckedBytes?: number } {
    const { voidFrom, knownAckedBytes } = this.#facts;
    if (voidFrom !== undefined) return { to: voidFrom, knownAckedBytes: voidFrom };
    return knownAckedBytes === undefined ? {} : { knownAckedBytes };
  }
}

function sameName(a: SegmentName, b: SegmentName): boolean {
  return a.writerId === b.writerId && a.number === b.number;
}
