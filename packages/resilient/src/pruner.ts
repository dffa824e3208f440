import type { AgentState, CheckpointHeader, HeaderQuery, StoreEntry } from "@ckpt/core";
import { Slices } from "@ckpt/io";
import {
  planRetentionInSlices,
  type RetentionDecision,
  type RetentionPlan,
  type RetentionPolicy,
} from "@ckpt/retention";

/** A new plan is made when the history grew by this share since the last one, and by this many saves, ... */
const GROWTH_PER_PLAN = 1 / 8;
const SAVES_PER_PLAN = 8;
/** ... or when the agent has been at rest for so long, in milliseconds. */
const REST_MS = 200;
/** A history beyond this size is planned by its growth only, and in slices: a plan takes time in its length. */
const SMALL_HISTORY = 1_000;
/** Checkpoints that one commit removes at most: saves that go on meanwhile wait for no longer one. */
const MAX_REMOVED = 256;
/** Ids of released and damaged checkpoints that are remembered. */
const MAX_REMEMBERED = 4_096;

/** What the pruner needs of its manager. */
export interface PrunerHost {
  readonly agentId: string;
  readonly policy: RetentionPolicy | undefined;
  now(): number;
  list(query?: HeaderQuery): Promise<CheckpointHeader[]>;
  readAgent(): Promise<AgentState | undefined>;
  /** The sequence of the first checkpoint under an open suspicion of drift. */
  suspectedSince(): number | undefined;
  /** A checkpoint that must stay, beside those that the store knows of. */
  alsoKeep(agent: AgentState | undefined): readonly string[];
  /**
   * Commits, in turn with the manager's other changes, what `take` gives when the turn has come: a restore or pin that had its turn
   * before may have made a checkpoint count.
   */
  commitInTurn(take: () => readonly StoreEntry[]): Promise<unknown>;
  pruned(ids: readonly string[], decisions: readonly RetentionDecision[]): void;
  suspended(plan: RetentionPlan): void;
  report(during: string, error: unknown): void;
}

/** A plan, and the suspicion of drift that it was made under. */
interface Made {
  readonly plan: RetentionPlan;
  readonly suspectedSince: number | undefined;
}

/**
 * Applies a retention policy beside the saves, never in their way: plans are made after a save is acknowledged, whenever the
 * history has grown by an eighth, and what a plan drops goes out with the next save's commit, or alone when the agent is at rest.
 * So the cost of a save does not grow with the length of the history.
 */
export class Pruner {
  readonly #host: PrunerHost;
  readonly #released = new Set<string>();
  readonly #damaged = new Set<string>();
  #pending = new Map<string, RetentionDecision>();
  #savesSincePlan = 0;
  /** A plan is due at once: what the last one went by is not so any more. */
  #isOutdated = false;
  /** The suspicion of drift that the pending plan was made under. */
  #plannedSuspicion: number | undefined;
  #savedAtMs = 0;
  #kept: number | undefined;
  #planning: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #wasSuspended = false;
  /** Checkpoints that a restore or pin is about to need, with how many of them. */
  readonly #spared = new Map<string, number>();
  readonly #inFlight = new Set<string>();
  /** Counts ends of sparing and damages: a plan that was begun before one has old facts, and is thrown away. */
  #generation = 0;

  constructor(host: PrunerHost) {
    this.#host = host;
  }

  /** A checkpoint was saved. Returns at once; the work is done beside. */
  saved(): void {
    if (this.#host.policy === undefined) return;
    this.#savesSincePlan++;
    this.#savedAtMs = performance.now();
    const grown = Math.max(SAVES_PER_PLAN, (this.#kept ?? 0) * GROWTH_PER_PLAN);
    if (this.#isOutdated || this.#savesSincePlan >= grown) void this.#planBeside();
    this.#atRest(REST_MS);
  }

  /** One timer for many saves: when it fires too early, it waits for the rest. */
  #atRest(delayMs: number): void {
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      const leftMs = this.#savedAtMs + REST_MS - performance.now();
      if (leftMs > 1) return this.#atRest(leftMs);
      const hasGrown = this.#savesSincePlan > 0 && (this.#kept ?? 0) <= SMALL_HISTORY;
      void (async () => {
        if (hasGrown || this.#isOutdated) await this.#planBeside();
        await this.#flush();
      })().catch((error: unknown) => this.#host.report("removing what retention drops", error));
    }, delayMs);
    this.#timer.unref();
  }

  #planBeside(): Promise<void> {
    this.#planning ??= (async () => {
      try {
        const generation = this.#generation;
        this.#savesSincePlan = 0;
        this.#isOutdated = false;
        const made = await this.#make();
        if (made === undefined) return;
        if (generation === this.#generation) this.#adopt(made);
        else this.#isOutdated = true;
      } catch (error) {
        this.#host.report("planning retention", error);
      } finally {
        this.#planning = undefined;
      }
    })();
    return this.#planning;
  }

  #adopt({ plan, suspectedSince }: Made): void {
    this.#plannedSuspicion = suspectedSince;
    const free = plan.drop.filter(
      ({ header }) => !this.#spared.has(header.id) && !this.#inFlight.has(header.id),
    );
    this.#pending = new Map(free.map((decision) => [decision.header.id, decision]));
  }

  /** What the policy keeps and drops now, with reasons; changes nothing. Undefined without a policy. */
  async plan(): Promise<RetentionPlan | undefined> {
    return (await this.#make())?.plan;
  }

  async #make(): Promise<Made | undefined> {
    const { policy } = this.#host;
    if (policy === undefined) return undefined;
    const headers = await this.#host.list();
    const agent = await this.#host.readAgent();
    const suspectedSince = this.#host.suspectedSince();
    const facts = {
      headId: agent?.headId ?? null,
      openGuards: agent?.openGuards ?? [],
      pinnedIds: [...(agent?.pinnedIds ?? []), ...this.#host.alsoKeep(agent)],
      damagedIds: [...this.#damaged],
      releasedIds: [...this.#released],
      ...(suspectedSince !== undefined && { suspectedSince }),
    };
    const slices = new Slices();
    const isSmall = headers.length <= SMALL_HISTORY;
    const pause = () => (isSmall ? undefined : slices.pause());
    const plan = await planRetentionInSlices(headers, policy, this.#host.now(), facts, pause);
    this.#kept = plan.keep.length;
    if (plan.suspended !== null && !this.#wasSuspended) this.#host.suspended(plan);
    this.#wasSuspended = plan.suspended !== null;
    return { plan, suspectedSince };
  }

  /** A removal that is to go with a save's commit; its outcome is told by `carried` or `putBack`. More may be pending after it. */
  take(): { entries: readonly StoreEntry[]; decisions: readonly RetentionDecision[] } {
    const decisions: RetentionDecision[] = [];
    // From a first suspicion on, what was saved before it is what an agent goes back to.
    if (this.#pending.size > 0 && this.#host.suspectedSince() !== this.#plannedSuspicion) this.outdate();
    for (const decision of this.#pending.values()) {
      if (decisions.length === MAX_REMOVED) break;
      decisions.push(decision);
    }
    if (decisions.length === 0) return { entries: [], decisions };
    const ids = decisions.map((decision) => decision.header.id);
    for (const id of ids) {
      this.#pending.delete(id);
      this.#inFlight.add(id);
    }
    return {
      entries: [{ op: "remove", agentId: this.#host.agentId, ids, reason: "retention policy" }],
      decisions,
    };
  }

  carried(decisions: readonly RetentionDecision[]): void {
    if (decisions.length === 0) return;
    const ids = decisions.map((decision) => decision.header.id);
    for (const id of ids) {
      this.#inFlight.delete(id);
      this.#released.delete(id);
      this.#damaged.delete(id);
    }
    this.#host.pruned(ids, decisions);
  }

  /** The removal failed: what it would have removed is planned anew. */
  putBack(decisions: readonly RetentionDecision[]): void {
    if (decisions.length === 0) return;
    for (const { header } of decisions) this.#inFlight.delete(header.id);
    this.#isOutdated = true;
    this.#atRest(REST_MS);
  }

  async #flush(): Promise<void> {
    while (this.#pending.size > 0) {
      let decisions: readonly RetentionDecision[] = [];
      try {
        await this.#host.commitInTurn(() => {
          const taken = this.take();
          decisions = taken.decisions;
          return taken.entries;
        });
      } catch (error) {
        this.putBack(decisions);
        throw error;
      }
      this.carried(decisions);
    }
  }

  /** Plans and removes now. Resolves to the plan that was carried out. */
  async apply(): Promise<RetentionPlan | undefined> {
    for (;;) {
      await this.#planning;
      const generation = this.#generation;
      const made = await this.#make();
      if (made === undefined) return undefined;
      if (generation !== this.#generation) continue;
      this.#adopt(made);
      await this.#flush();
      return made.plan;
    }
  }

  /** No more work beside. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** Finishes before a close: nothing that is due stays undone. */
  async finish(): Promise<void> {
    this.stop();
    await this.#planning;
    if (this.#savesSincePlan > 0 || this.#isOutdated) await this.#planBeside();
    await this.#flush();
  }

  /** Runs `use` with checkpoints that must not go meanwhile: a restore or a pin is about to make them count. */
  async sparing<T>(ids: readonly string[], use: () => Promise<T>): Promise<T> {
    for (const id of ids) {
      this.#pending.delete(id);
      this.#spared.set(id, (this.#spared.get(id) ?? 0) + 1);
    }
    try {
      return await use();
    } finally {
      this.#generation++;
      for (const id of ids) {
        const left = (this.#spared.get(id) ?? 1) - 1;
        if (left === 0) this.#spared.delete(id);
        else this.#spared.set(id, left);
      }
    }
  }

  /** The operation that this checkpoint was made for is over. */
  release(id: string): void {
    remember(this.#released, id);
  }

  /** It counts as no copy any more, so that others may have to stay. */
  markDamaged(id: string): void {
    remember(this.#damaged, id);
    this.outdate();
  }

  /** What plans went by is not so any more: nothing is removed before a new one. */
  outdate(): void {
    if (this.#host.policy === undefined) return;
    this.#generation++;
    this.#pending.clear();
    this.#isOutdated = true;
    this.#atRest(REST_MS);
  }

  /** Ids that must not go now. */
  get sparedIds(): Iterable<string> {
    return this.#spared.keys();
  }

  /** Ids that are to be removed and have not been yet. */
  get pendingIds(): readonly string[] {
    return [...this.#pending.keys()];
  }
}

function remember(set: Set<string>, id: string): void {
  set.add(id);
  if (set.size <= MAX_REMEMBERED) return;
  const [oldest] = set;
  if (oldest !== undefined) set.delete(oldest);
}
