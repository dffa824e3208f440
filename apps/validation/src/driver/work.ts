import type { SavedCheckpoint } from "@ckpt/core";
import { ResilientCheckpointManager } from "@ckpt/resilient";
import { codeOf, say } from "./output.js";
import { type DriverState, LANES, nextState, shaOf } from "./states.js";

const NAMES = ["routine", "routine", "recovery", "routine", "pre_operation", "milestone", "routine"] as const;

/** One agent of this process: its live state, its manager, and what it waits for. */
class Agent {
  readonly manager: ResilientCheckpointManager<DriverState>;
  readonly saved: string[] = [];
  state: DriverState | undefined;
  #unflushed = new Map<string, { i: number; sha: string }>();

  constructor(
    readonly key: string,
    directory: string,
  ) {
    this.manager = new ResilientCheckpointManager<DriverState>(key, {
      directory,
      collect: () => this.state as DriverState,
      apply: (state) => {
        this.state = state;
      },
    });
    this.manager.on("flushed", ({ checkpointIds }) => this.#acknowledgeFlushed(checkpointIds));
  }

  /** One numbered save: TRY before it, then ACK once it is durable. */
  async save(i: number): Promise<void> {
    this.state = nextState(this.state, i);
    const sha = shaOf(this.state);
    say(`TRY ${this.key} ${i} ${sha}`);
    try {
      const checkpoint: SavedCheckpoint<DriverState> = await this.manager.createCheckpoint(
        NAMES[i % NAMES.length] as string,
        { i },
      );
      this.saved.push(checkpoint.id);
      if (checkpoint.durability === "durable") return say(`ACK ${this.key} ${i} ${sha}`);
      say(`ERR ${this.key} ${i} DEGRADED`);
      this.#unflushed.set(checkpoint.id, { i, sha });
    } catch (error) {
      say(`ERR ${this.key} ${i} ${codeOf(error)}`);
    }
  }

  #acknowledgeFlushed(ids: readonly string[]): void {
    for (const id of ids) {
      const save = this.#unflushed.get(id);
      if (save) say(`ACK ${this.key} ${save.i} ${save.sha}`);
      this.#unflushed.delete(id);
    }
  }

  /** Runs something that is not a numbered save; its failure is printed under a key of its own. */
  async other(what: string, i: number, run: () => Promise<unknown>): Promise<void> {
    try {
      await run();
    } catch (error) {
      say(`ERR ${what}:${this.key} ${i} ${codeOf(error)}`);
    }
  }

  /** An older checkpoint of this process's that still exists, never the newest. */
  async older(i: number): Promise<string | undefined> {
    const there = new Set((await this.manager.getAll()).map(({ id }) => id));
    const older = this.saved.slice(0, -1).filter((id) => there.has(id));
    return older[i % Math.max(1, older.length)];
  }
}

/** What happens between saves: each is followed by a new save, so that the highest number is always the newest. */
async function between(agent: Agent, i: number): Promise<void> {
  const { manager } = agent;
  const withOlder = (what: string, run: (id: string) => Promise<unknown>) =>
    agent.other(what, i, async () => {
      const id = await agent.older(i);
      if (id !== undefined) await run(id);
    });
  if (i % 11 === 3) await withOlder("remove", (id) => manager.remove(id));
  if (i % 13 === 5) {
    const fails = i % 2 === 0;
    await agent.other("guard", i, () =>
      manager
        .guard("rewrite", async () => {
          if (!fails) return;
          (agent.state as DriverState).kind = "half done";
          throw new Error("the operation failed");
        })
        .catch((error: unknown) => {
          if (!fails || codeOf(error) !== "CKPT_GUARD_FAILED") throw error;
        }),
    );
  }
  if (i % 17 === 7) await withOlder("restore", (id) => manager.restoreCheckpoint(id));
  if (i % 19 === 9) await withOlder("fork", (id) => manager.fork(id));
}

/** `count` saves, one after another, spread over a few agents; the exit code is 1 when recovering or closing failed. */
export async function work(directory: string, count: number, start: number, step: number): Promise<number> {
  const group = start % step;
  const agents = Array.from(
    { length: LANES },
    (_, lane) => new Agent(`w${group}-${"abcd"[lane]}`, directory),
  );
  let failed = 0;
  for (const agent of agents)
    await agent.manager.recover().catch((error: unknown) => {
      failed = 1;
      say(`ERR recover:${agent.key} ${start} ${codeOf(error)}`);
    });
  for (let n = 0; n < count; n += 1) {
    const i = start + n * step;
    const agent = agents[n % LANES] as Agent;
    if (n >= LANES) await between(agent, i);
    await agent.save(i);
    if (n === Math.floor(count / 2)) await agent.other("compact", i, () => agent.manager.compact());
  }
  for (const agent of agents)
    await agent.manager.close().catch((error: unknown) => {
      failed = 1;
      say(`ERR close:${agent.key} ${start + count * step} ${codeOf(error)}`);
    });
  return failed;
}
