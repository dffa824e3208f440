import { type CheckpointStore, isCkptError, type StoreEntry, snapshot } from "@ckpt/core";
import { FaultyFileSystem } from "../faulty-fs/faulty-file-system.js";
import { SeededRandom } from "../faulty-fs/random.js";
import type { Breach } from "./check-ledger.js";
import { type ExamineOptions, examineDisk, isEnough } from "./examine.js";
import { Ledger } from "./ledger.js";
import { describeError } from "./run-workload.js";

export interface RaceOptions extends ExamineOptions {
  open(fs: FaultyFileSystem): Promise<CheckpointStore>;
  /** Processes at a time on one disk. Default 3. */
  readonly processes?: number;
  /** Agents that they compete for. Default 2. */
  readonly agents?: number;
  /** How many lives each process has: it opens, tries for an agent, saves, and closes or is killed. Default 8. */
  readonly lives?: number;
  /** How many runs, each with another order of events. Default 20. */
  readonly runs?: number;
  onProgress?(done: number, total: number): void;
}

export interface RaceReport {
  readonly runs: number;
  readonly acknowledged: number;
  /** Acquisitions that were refused because someone else held the agent. */
  readonly refused: number;
  readonly kills: number;
  readonly breaches: readonly Breach[];
}

const turns = async (count: number) => {
  for (let i = 0; i < count; i++) await undefined;
};

/** One run: processes that live and die on one disk. */
class Race {
  readonly disk = new FaultyFileSystem();
  readonly ledger = new Ledger();
  readonly breaches: Breach[] = [];
  readonly #holders = new Map<string, string>();
  readonly #options: RaceOptions;
  readonly #random: SeededRandom;
  readonly #where: string;
  refused = 0;
  kills = 0;

  constructor(options: RaceOptions, seed: number) {
    this.#options = options;
    this.#random = new SeededRandom(seed);
    this.#where = `race ${seed}`;
  }

  async play(): Promise<void> {
    const { processes = 3, lives = 8 } = this.#options;
    const run = async (name: string) => {
      for (let life = 1; life <= lives; life++) await this.#life(`${name}, life ${life}`);
    };
    await Promise.all(Array.from({ length: processes }, (_, i) => run(`process ${i + 1}`)));
  }

  async #life(me: string): Promise<void> {
    const random = new SeededRandom(this.#random.next());
    const fs = this.disk.process();
    fs.setPace(random);
    const agentId = `agent-${random.below(this.#options.agents ?? 2)}`;
    let killed = false;
    const kill = () => {
      killed = true;
      this.kills++;
      if (this.#holders.get(agentId) === me) this.#holders.delete(agentId);
      fs.killProcess();
    };
    try {
      const store = this.ledger.watch(await this.#options.open(fs));
      const lease = await this.#acquire(store, agentId);
      if (lease === undefined) return await store.close();
      const holder = this.#holders.get(agentId);
      if (holder !== undefined) this.#report("shared", `${me} took ${agentId}, which ${holder} holds.`);
      this.#holders.set(agentId, me);
      const saving = this.#save(store, agentId, random);
      if (random.chance(0.4)) {
        await turns(random.below(400));
        kill();
        await saving.catch(() => undefined);
        // Nobody waits for a dead process; closing only lets go of its memory.
        await store.close().catch(() => undefined);
        return;
      }
      await saving;
      if (this.#holders.get(agentId) === me) this.#holders.delete(agentId);
      if (random.chance(0.5)) await lease.release();
      await store.close();
    } catch (error) {
      if (!killed) this.#report(isCkptError(error) ? "stuck" : "untyped", `${me}: ${describeError(error)}`);
    }
  }

  async #acquire(store: CheckpointStore, agentId: string) {
    try {
      return await store.acquire(agentId);
    } catch (error) {
      if (!isCkptError(error, "CKPT_LOCKED")) throw error;
      this.refused++;
      return undefined;
    }
  }

  async #save(store: CheckpointStore, agentId: string, random: SeededRandom): Promise<void> {
    const state = await store.agent(agentId);
    const first = (state?.lastSequence ?? 0) + 1;
    const commits = Array.from({ length: 1 + random.below(4) }, (_, i) => {
      const sequence = first + i;
      const header = {
        id: `${agentId}:${sequence}`,
        agentId,
        sequence,
        name: "routine",
        timestamp: new Date(1_700_000_000_000 + sequence).toISOString(),
        parentId: sequence > 1 ? `${agentId}:${sequence - 1}` : null,
        metadata: {},
        schemaVersion: null,
      };
      const state = snapshot({ sequence, mark: random.next(), text: "x".repeat(random.below(2_000)) });
      const entry: StoreEntry = { op: "put", header, snapshot: state };
      return store.commit([entry]);
    });
    const failed = (await Promise.allSettled(commits)).find((commit) => commit.status === "rejected");
    if (failed !== undefined) throw failed.reason;
  }

  #report(kind: Breach["kind"], message: string): void {
    this.breaches.push({ kind, message, where: this.#where });
  }
}

/**
 * Lets several simulated processes compete for agents on one disk, save, and die at any moment. No two may hold an agent at once, a holder's
 * saves must succeed, and a fresh start must find everything acknowledged. Which of two calls comes first differs from run to run, by seed.
 * The store must have locks that end with their process: simulated processes share the pid of the real one.
 */
export async function exploreRaces(options: RaceOptions): Promise<RaceReport> {
  const { runs = 20 } = options;
  const breaches: Breach[] = [];
  let [played, acknowledged, refused, kills] = [0, 0, 0, 0];
  for (let seed = 1; seed <= runs && !isEnough(breaches, options); seed++) {
    const race = new Race(options, seed);
    await race.play();
    played++;
    acknowledged += race.ledger.acknowledged;
    refused += race.refused;
    kills += race.kills;
    breaches.push(...race.breaches);
    const { ledger, disk } = race;
    const moment = ledger.moment;
    const cut = disk.powerCut({ mode: "strict" });
    breaches.push(
      ...(await examineDisk(disk.process(), ledger, moment, options, `race ${seed}, then a start`)),
    );
    breaches.push(...(await examineDisk(cut, ledger, moment, options, `race ${seed}, then a power cut`)));
    options.onProgress?.(seed, runs);
  }
  return { runs: played, acknowledged, refused, kills, breaches };
}
