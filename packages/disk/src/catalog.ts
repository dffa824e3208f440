/** The index: each agent's history, from the segments that count. */
import type { StoreFinding } from "@ckpt/core";
import { classify, type Slices } from "@ckpt/io";
import type { AgentHistory } from "./agent-history.js";
import { compareKeys, type PutEntry, type StoredEntry } from "./entry.js";
import type { Findings } from "./findings.js";
import { mapBounded } from "./map-bounded.js";
import { noPlace } from "./no-place.js";
import { type Replayed, replay } from "./replay.js";
import type { Segment, SegmentContext } from "./segment.js";
import { lostFindings, supersededFinding } from "./segment-findings.js";
import { type DirectoryListener, StoreDirectory } from "./store-directory.js";
import type { WriterChanges } from "./writer-segments.js";

/** Histories of agents that are not held here are kept up to so many checkpoints in all. */
const MAX_CACHED_PUTS = 50_000;
const PARALLEL = 8;
/** How often a history is built anew because others changed the directory meanwhile. */
const MAX_ROUNDS = 3;

export class Catalog implements DirectoryListener {
  readonly directory: StoreDirectory;
  readonly #context: SegmentContext;
  readonly #findings: Findings;
  /** Agents held by this process: their histories stay, and are fed by the log writer. */
  readonly #held = new Map<string, AgentHistory>();
  readonly #cache = new Map<string, AgentHistory>();
  /** Counts changes of segments: a history that was built across one is not kept. */
  #version = 0;
  /** Bytes of records that this process has removed since the last compaction. */
  removedBytes = 0;

  constructor(context: SegmentContext, findings: Findings) {
    this.#context = context;
    this.#findings = findings;
    this.directory = new StoreDirectory(context, findings, this);
  }

  /** This process has written an entry, and it is durable. */
  written(entry: StoredEntry): void {
    const history = this.#held.get(entry.agentId);
    if (history === undefined) return;
    const before = history.removedBytes;
    history.apply(entry);
    this.removedBytes += history.removedBytes - before;
  }

  /** Reports something that a read or a repair has met. */
  report(finding: StoreFinding): void {
    this.#findings.add(finding);
  }

  agentIds(): string[] {
    const ids = new Set<string>();
    for (const [agentId, { isEmpty }] of this.#held) if (!isEmpty) ids.add(agentId);
    for (const segment of this.directory.segments())
      for (const agentId of segment.agentIds()) ids.add(agentId);
    return [...ids].sort();
  }

  /** The highest sequence of the agent that any recorded head names. */
  recordedSequence(agentId: string): number {
    let highest = 0;
    for (const { heads } of this.directory.writers.values()) {
      if (typeof heads === "string") continue;
      for (const { agents } of heads) highest = Math.max(highest, agents.get(agentId)?.[1] ?? 0);
    }
    return highest;
  }

  isHeld(agentId: string): boolean {
    return this.#held.has(agentId);
  }

  /** Keeps the agent's history from now on; {@link written} adds to it. */
  hold(history: AgentHistory): void {
    this.#cache.delete(history.agentId);
    this.#held.set(history.agentId, history);
  }

  release(agentId: string): void {
    // What is kept for others is built from the segments.
    this.#held.delete(agentId);
    this.#version++;
  }

  /**
   * The agent's history as of the last look at the directory; undefined for an agent that never wrote. Of one whose every entry is lost, it is
   * the last sequence that was recorded.
   */
  async history(agentId: string): Promise<AgentHistory | undefined> {
    const known = this.#held.get(agentId) ?? this.#cache.get(agentId);
    if (known !== undefined) return known.isEmpty && known.lastSequence === 0 ? undefined : known;
    const version = this.#version;
    const { history } = await this.replay(agentId);
    if (history.isEmpty) {
      history.lastSequence = this.recordedSequence(agentId);
      return history.lastSequence === 0 ? undefined : history;
    }
    if (version === this.#version && !this.#held.has(agentId)) this.#remember(history);
    return history;
  }

  /** Builds the agent's history anew from all segments. */
  async replay(agentId: string): Promise<Replayed> {
    let replayed = await this.#replayOnce(agentId);
    // Segments are looked at one after another: a hole may only be an agent that changed hands meanwhile.
    for (let round = 0; round < MAX_ROUNDS && this.#isDoubtful(replayed); round++) {
      await this.directory.refresh();
      replayed = await this.#replayOnce(agentId);
    }
    if (replayed.superseded.length > 0) this.#findings.add(supersededFinding(agentId, replayed.superseded));
    for (const finding of lostFindings(this.#context.layout, agentId, replayed.lost))
      this.#findings.add(finding);
    return replayed;
  }

  #isDoubtful({ lost, isIncomplete }: Replayed & { isIncomplete: boolean }): boolean {
    return isIncomplete || (lost.length > 0 && this.directory.othersLive);
  }

  /** One pass; `isIncomplete` when a segment went away meanwhile. */
  async #replayOnce(agentId: string): Promise<Replayed & { isIncomplete: boolean }> {
    const segments = this.directory.segments().filter((segment) => segment.has(agentId));
    // Of an entry that stands in two, the later one is taken: that must not be one that cannot be read.
    segments.sort((a, b) => Number(a.isWhole) - Number(b.isWhole));
    let isIncomplete = false;
    const lists = await mapBounded(segments, PARALLEL, async (segment) => {
      try {
        return await segment.entries(agentId);
      } catch (error) {
        if (classify(error) !== "not-found") throw error;
        isIncomplete = true;
        return [];
      }
    });
    return { ...(await replay(agentId, lists.flat())), isIncomplete };
  }

  /** Brings the histories in memory up to date with what a look has found. */
  changed({ opened, gone, appended, cut }: WriterChanges): void {
    for (const segment of [...opened, ...gone, ...cut]) this.#dropCached(segment);
    for (const entries of appended.values()) {
      this.#version++;
      for (const entry of entries) this.#follow(entry);
    }
  }

  #dropCached(segment: Segment): void {
    this.#version++;
    for (const id of segment.agentIds()) this.#cache.delete(id);
  }

  #follow(entry: StoredEntry): void {
    const history = this.#cache.get(entry.agentId);
    if (history === undefined) return;
    const follows = entry.n === history.lastNumber + 1 && entry.epoch >= history.epoch;
    if (follows) history.apply(entry);
    else if (compareKeys(entry, { ...entry, epoch: history.epoch, n: history.lastNumber }) !== 0) {
      this.#cache.delete(entry.agentId);
    }
  }

  /** Our own compaction has copied these: histories of agents that are held here need not be read again for that. */
  async relocate(puts: readonly PutEntry[], slices: Slices): Promise<void> {
    for (const put of puts) {
      this.#held.get(put.agentId)?.replace(put);
      const pause = slices.pause();
      if (pause !== undefined) await pause;
    }
  }

  /**
   * Compaction has taken place: checkpoints of agents that are held here stand elsewhere now. What counts is whether a segment is
   * still there, not what the manifest names: others may have compacted several times since this process last looked.
   */
  async moved(): Promise<void> {
    for (const [agentId, held] of this.#held) {
      if (held.puts.every((put) => this.directory.has(put.segment))) continue;
      const { history } = await this.#replayOnce(agentId);
      for (const put of history.puts) {
        const known = held.find(put.header.id);
        if (known !== undefined && !this.directory.has(known.segment)) held.replace(put);
      }
    }
  }

  /**
   * A salvage of this process has left these out: agents that are held here do not list them any more, and their heads are what another
   * process finds. Only under the maintenance lease: who does not hold it cannot tell what was lost from what others have moved.
   */
  async forgetLost(lostIds: readonly string[]): Promise<void> {
    for (const [agentId, held] of this.#held) {
      const lost = lostIds.filter((id) => {
        const put = held.find(id);
        return put !== undefined && !this.directory.has(put.segment);
      });
      if (lost.length === 0) continue;
      const { history: found } = await this.#replayOnce(agentId);
      // What was saved or removed meanwhile is in `held` already, and may not be in what was found.
      const gone = lost.filter((id) => found.find(id) === undefined);
      const wasHead = held.headId !== null && gone.includes(held.headId);
      const { epoch, lastNumber: n } = held;
      held.apply({ kind: "removal", agentId, epoch, n, ids: gone, reason: "lost", ...noPlace() });
      if (!wasHead || found.headId === null || held.find(found.headId) === undefined) continue;
      held.headId = found.headId;
      held.headEntry = found.headEntry;
    }
  }

  /** Where a checkpoint stands, asked because reading it failed: nothing that is remembered is relied on. */
  async locate(agentId: string, id: string): Promise<PutEntry | undefined> {
    await this.directory.refresh();
    const put = (await this.history(agentId))?.find(id);
    if (put === undefined || this.directory.has(put.segment)) return put;
    this.#cache.delete(agentId);
    await this.moved();
    return (await this.history(agentId))?.find(id);
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
