/**
 * The index: which segments there are, and each agent's history from them. Only reads. It follows what other processes do to
 * the directory when asked to look again.
 */
import type { StoreFinding } from "@ckpt/core";
import { classify, type FileSystem } from "@ckpt/io";
import type { AgentHistory } from "./agent-history.js";
import { compareKeys, type StoredEntry } from "./entry.js";
import type { Findings } from "./findings.js";
import { readStoreId } from "./format-file.js";
import { checkHeads } from "./head-check.js";
import { listHeads } from "./heads.js";
import { isWriterId, type StoreLayout, segmentKey } from "./layout.js";
import { type Manifest, NO_MANIFEST, readManifest } from "./manifest.js";
import { mapBounded } from "./map-bounded.js";
import { type Replayed, replay } from "./replay.js";
import { newerSegment, type Segment, type SegmentContext } from "./segment.js";
import {
  damagedFile,
  foreignWriter,
  lostFinding,
  segmentFindings,
  supersededFinding,
} from "./segment-findings.js";
import { checkDirectories } from "./unsafe-path.js";
import { type WriterChanges, WriterSegments } from "./writer-segments.js";

/** Histories of agents that are not held here are kept up to so many checkpoints in all. */
const MAX_CACHED_PUTS = 50_000;
const PARALLEL = 8;
/** How often a look is repeated because others changed the directory meanwhile. */
const MAX_ROUNDS = 3;

export class Catalog {
  readonly #context: SegmentContext;
  readonly #findings: Findings;
  readonly #writers = new Map<string, WriterSegments>();
  readonly #own = new Map<string, Segment>();
  /** Agents held by this process: their histories stay, and are fed by the log writer. */
  readonly #held = new Map<string, AgentHistory>();
  #cache = new Map<string, AgentHistory>();
  #ownWriterId: string | undefined;
  #manifest: Manifest = NO_MANIFEST;
  #storeId: string | undefined;
  #running: Promise<void> | undefined;
  #queued: Promise<void> | undefined;
  #isOpen = false;
  /** `FORMAT` is there and makes no sense. */
  isFormatDamaged = false;
  /** Bytes of records that this process has removed since the last compaction. */
  removedBytes = 0;

  constructor(context: SegmentContext, findings: Findings) {
    this.#context = context;
    this.#findings = findings;
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

  /** Writers that were found ended when they were looked at. */
  get endedWriters(): number {
    let ended = 0;
    for (const { state } of this.#writers.values()) if (state === "ended") ended++;
    return ended;
  }

  /** What is wrong with the files that are no segments. */
  structuralFindings(): StoreFinding[] {
    const { layout } = this.#context;
    const findings = this.#manifest.damaged.map((number) => damagedFile(layout.manifest(number)));
    if (this.isFormatDamaged) findings.push(damagedFile(layout.formatFile));
    return findings;
  }

  /** All segments that count: those of other writers, and our own. */
  segments(): Segment[] {
    const all = [...this.#writers.values()].flatMap((writer) => [...writer.segments.values()]);
    return [...all, ...this.#own.values()];
  }

  ownSegments(): Segment[] {
    return [...this.#own.values()];
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
      this.#running = this.#refresh().finally(() => {
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

  /** The same, with every other writer, also those that had ended at the last look. */
  async refreshAll(): Promise<void> {
    for (const writer of this.#writers.values()) writer.state = "living";
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

  /** Segments that compaction has replaced, and the one that took their place. */
  replaceSegments(manifest: Manifest, outputs: readonly Segment[]): void {
    this.#manifest = manifest;
    for (const writer of this.#writers.values()) {
      for (const segment of [...writer.segments.values()]) {
        if (manifest.replaced.has(segment.key)) writer.segments.delete(segment.number);
      }
    }
    for (const key of [...this.#own.keys()]) if (manifest.replaced.has(key)) this.#own.delete(key);
    for (const output of outputs) this.addOwn(output);
    this.#cache.clear();
  }

  /** This process has written an entry, and it is durable. */
  written(entry: StoredEntry): void {
    const history = this.#held.get(entry.agentId);
    if (history === undefined) return;
    const before = history.removedBytes;
    history.apply(entry);
    this.removedBytes += history.removedBytes - before;
  }

  agentIds(): string[] {
    const ids = new Set<string>();
    for (const [agentId, { isEmpty }] of this.#held) if (!isEmpty) ids.add(agentId);
    for (const segment of this.segments()) for (const agentId of segment.agentIds()) ids.add(agentId);
    return [...ids].sort();
  }

  /** The highest sequence of the agent that any recorded head names. */
  recordedSequence(agentId: string): number {
    let highest = 0;
    for (const { heads } of this.#writers.values()) {
      if (typeof heads === "string") continue;
      for (const { agents } of heads) highest = Math.max(highest, agents.get(agentId)?.[1] ?? 0);
    }
    return highest;
  }

  isHeld(agentId: string): boolean {
    return this.#held.has(agentId);
  }

  /** Keeps the agent's history from now on; the caller applies to it what it writes. */
  hold(history: AgentHistory): void {
    this.#cache.delete(history.agentId);
    this.#held.set(history.agentId, history);
  }

  release(agentId: string): void {
    const history = this.#held.get(agentId);
    this.#held.delete(agentId);
    if (history !== undefined) this.#remember(history);
  }

  /** The agent's history as of the last look at the directory; undefined for an agent that never wrote. */
  async history(agentId: string): Promise<AgentHistory | undefined> {
    const known = this.#held.get(agentId) ?? this.#cache.get(agentId);
    if (known !== undefined) return known.isEmpty ? undefined : known;
    const { history } = await this.replay(agentId);
    if (history.isEmpty) return undefined;
    const newer = this.#held.get(agentId);
    if (newer !== undefined) return newer;
    this.#remember(history);
    return history;
  }

  /** Builds the agent's history anew from all segments. */
  async replay(agentId: string): Promise<Replayed> {
    let replayed = await this.#replayOnce(agentId);
    // Segments are looked at one after another: a hole may only be an agent that changed hands meanwhile.
    for (let round = 0; round < MAX_ROUNDS && replayed.lost.length > 0 && this.#othersLive(); round++) {
      await this.refresh();
      replayed = await this.#replayOnce(agentId);
    }
    if (replayed.superseded.length > 0) this.#findings.add(supersededFinding(agentId, replayed.superseded));
    for (const lost of replayed.lost) this.#findings.add(lostFinding(this.#context.layout, agentId, lost));
    return replayed;
  }

  async #replayOnce(agentId: string): Promise<Replayed> {
    const segments = this.segments().filter((segment) => segment.has(agentId));
    const lists = await mapBounded(segments, PARALLEL, (segment) => this.#entries(segment, agentId));
    return replay(agentId, lists.flat());
  }

  #othersLive(): boolean {
    for (const { state } of this.#writers.values()) if (state === "living") return true;
    return false;
  }

  async #entries(segment: Segment, agentId: string): Promise<readonly StoredEntry[]> {
    try {
      return await segment.entries(agentId);
    } catch (error) {
      if (classify(error) !== "not-found") throw error;
      // Compaction took it away since the last look: what counts now is elsewhere.
      await this.#refresh();
      if (this.segments().includes(segment)) throw error;
      return [];
    }
  }

  async #refresh(): Promise<void> {
    const { fs, layout } = this.#context;
    let found = await this.#round();
    // What looks lost may be what compaction has replaced since this look began.
    for (let round = 0; round < MAX_ROUNDS && found.length > 0; round++) {
      if ((await readManifest(fs, layout, this.#manifest)).number === this.#manifest.number) break;
      found = await this.#round();
    }
    for (const finding of [...this.structuralFindings(), ...found]) this.#findings.add(finding);
  }

  async #round(): Promise<StoreFinding[]> {
    const { fs, layout } = this.#context;
    await checkDirectories(fs, layout);
    const previous = this.#manifest.number;
    this.#manifest = await readManifest(fs, layout, this.#manifest);
    if (!this.#isOpen || this.isFormatDamaged || this.#storeId === undefined)
      await this.#readFormat(fs, layout);
    const isNewManifest = this.#manifest.number !== previous;
    if (isNewManifest) this.#dropReplacedOwn();
    const ids = await this.#writerIds(fs, layout);
    for (const id of [...this.#writers.keys()]) if (!ids.has(id)) this.#forget(id);
    const look = [...ids].filter((id) => {
      const writer = this.#writers.get(id);
      return writer === undefined || writer.state === "living" || isNewManifest;
    });
    const found = await mapBounded(look, PARALLEL, (id) => this.#look(id));
    this.#isOpen = true;
    if (isNewManifest) await this.moveHeld();
    return found.flat();
  }

  async #readFormat(fs: FileSystem, layout: StoreLayout): Promise<void> {
    const read = await readStoreId(fs, layout);
    if (typeof read !== "string") this.#storeId = read.storeId;
    this.isFormatDamaged = read === "damaged";
  }

  async #writerIds(fs: FileSystem, layout: StoreLayout): Promise<Set<string>> {
    const names = await fs.readdir(layout.writers).catch((error: unknown) => {
      if (classify(error) === "not-found") return [];
      throw error;
    });
    const ids = new Set(names.filter(isWriterId));
    // A directory that was deleted whole is missed by the heads that were recorded for it.
    if (!this.#isOpen) for (const id of await listHeads(fs, layout)) ids.add(id);
    if (this.#ownWriterId !== undefined) ids.delete(this.#ownWriterId);
    return ids;
  }

  async #look(writerId: string): Promise<StoreFinding[]> {
    let writer = this.#writers.get(writerId);
    const isNew = writer === undefined;
    if (isNew && (await this.#isForeign(writerId)))
      return [foreignWriter(this.#context.layout.writer(writerId))];
    writer ??= new WriterSegments(this.#context, writerId);
    const changes = await writer.refresh((key) => this.isReplaced(key));
    if (isNew) this.#writers.set(writerId, writer);
    this.#take(changes);
    const found: StoreFinding[] = [];
    for (const segment of changes.opened) {
      if (segment.isNewer && segment.header === undefined) throw newerSegment(segment);
      this.#learnStore(segment);
      found.push(...segmentFindings(segment));
    }
    if (isNew || changes.opened.length > 0) found.push(...(await this.headFindings(writer)));
    return found;
  }

  /** Something else than a directory has a writer's name: nothing below it is looked at. */
  async #isForeign(writerId: string): Promise<boolean> {
    const { fs, layout } = this.#context;
    const found = await fs.stat(layout.writer(writerId));
    return found !== undefined && found.kind !== "directory";
  }

  /** What the writer's recorded heads say about its segments. */
  headFindings(writer: WriterSegments): Promise<StoreFinding[]> {
    const { fs, layout } = this.#context;
    return checkHeads({ fs, layout, isReplaced: (key) => this.isReplaced(key) }, writer);
  }

  #learnStore(segment: Segment): void {
    this.#storeId ??= segment.header?.storeId;
  }

  /** Brings the histories in memory up to date with what was found. */
  #take({ opened, gone, appended, cut }: WriterChanges): void {
    for (const segment of [...opened, ...gone, ...cut])
      for (const id of segment.agentIds()) this.#cache.delete(id);
    for (const entries of appended.values()) {
      for (const entry of entries) {
        const history = this.#cache.get(entry.agentId);
        if (history === undefined) continue;
        const follows = entry.n === history.lastNumber + 1 && entry.epoch >= history.epoch;
        if (follows) history.apply(entry);
        else if (compareKeys(entry, { ...entry, epoch: history.epoch, n: history.lastNumber }) !== 0) {
          this.#cache.delete(entry.agentId);
        }
      }
    }
  }

  #forget(writerId: string): void {
    const writer = this.#writers.get(writerId)!;
    this.#writers.delete(writerId);
    for (const segment of writer.segments.values())
      for (const id of segment.agentIds()) this.#cache.delete(id);
  }

  #dropReplacedOwn(): void {
    for (const key of [...this.#own.keys()]) if (this.isReplaced(key)) this.#own.delete(key);
  }

  /** Compaction has taken place: checkpoints of agents that are held here stand elsewhere now. */
  async moveHeld(): Promise<void> {
    for (const [agentId, held] of this.#held) {
      const { history } = await this.#replayOnce(agentId);
      for (const put of history.puts) {
        if (this.isReplaced(segmentKey(held.find(put.header.id)?.segment ?? put.segment))) held.replace(put);
      }
    }
  }

  #remember(history: AgentHistory): void {
    this.#cache.set(history.agentId, history);
    let puts = 0;
    for (const { count } of this.#cache.values()) puts += count;
    for (const [agentId, { count }] of this.#cache) {
      if (puts <= MAX_CACHED_PUTS || agentId === history.agentId) break;
      this.#cache.delete(agentId);
      puts -= count;
    }
  }
}
