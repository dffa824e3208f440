import { ResilientCheckpointManager } from "@ckpt/resilient";
import { keepLast } from "@ckpt/retention";
import type { Op, Setting } from "./overlap-ops.js";
import { randomOf, SlowStore, turn } from "./slow-store.js";

export type State = { n: number };

/** An agent that lives beside its manager, and what is known of how the two stand. */
export interface Live {
  state: State;
  readonly manager: ResilientCheckpointManager<State>;
  /** Why its live state is rightly not that of its head. */
  tainted: string | undefined;
  readonly ids: string[];
  readonly savedEvents: string[];
  /** Head-moving calls under way, and the ids that were acknowledged since the last one. */
  moving: number;
  line: { id: string }[];
  /** Restores that were told, and those that came true. */
  told: number;
  restored: number;
}

/** Some agents over one slow store. */
export class World {
  readonly store: SlowStore;
  readonly lives: Live[] = [];
  readonly groups: string[] = [];
  /** What is wrong. */
  readonly wrong: string[] = [];
  /** Everything has been called: what is applied from now on calls nothing and fails no more. */
  isOver = false;
  counter = 0;
  readonly #random: (below: number) => number;

  /** `perform` makes the calls of an `apply`. */
  constructor(
    readonly setting: Setting,
    readonly perform: (world: World, op: Op) => Promise<unknown>,
    readonly log: (line: string) => void,
  ) {
    this.#random = randomOf(setting.seed ^ 0x5bd1e995);
    this.store = new SlowStore(this.#random, setting.failingCommits);
    for (let i = 0; i < setting.agents; i++) this.lives.push(this.#make("abc"[i]!));
  }

  #make(agentId: string): Live {
    const { setting, store } = this;
    const error = (message: string, context: unknown) =>
      this.log(`${agentId}: ${message} ${String((context as { error?: unknown })?.error)}`);
    const quiet = () => {};
    const inner = { depth: 0 };
    const manager = new ResilientCheckpointManager<State>(agentId, {
      store,
      retention: [false as const, undefined, keepLast(1)][setting.seed % 3],
      drift: false,
      retry: false,
      memoryBytesWhenDegraded: 0,
      logger: { debug: quiet, info: quiet, warn: quiet, error },
      ...(setting.maxCheckpoints > 0 && { maxCheckpoints: setting.maxCheckpoints }),
      collect: () => (setting.asyncCollect ? this.#collectLate(live) : { ...live.state }),
      apply: (state) => {
        if (this.#fails(5)) throw new Error("apply");
        live.state = state;
        this.log(`${agentId}: applied ${state.n}`);
        return setting.asyncApply ? this.#goOn(inner) : undefined;
      },
    });
    const counts = { moving: 0, told: 0, restored: 0 };
    const live: Live = {
      ...{ state: { n: 0 }, manager, tainted: undefined, ids: [], savedEvents: [], line: [] },
      ...counts,
    };
    manager.on("restored", () => {
      live.told++;
    });
    manager.on("saved", ({ id }) => {
      if (live.savedEvents.includes(id)) this.wrong.push(`saved twice: ${id}`);
      live.savedEvents.push(id);
    });
    return live;
  }

  #fails(oneIn: number): boolean {
    return !this.isOver && this.setting.failingApply && this.#random(oneIn) === 0;
  }

  async #someTurns(below: number): Promise<void> {
    const n = this.#random(below);
    for (let k = 0; k < n; k++) await turn();
  }

  async #collectLate(live: Live): Promise<State> {
    await this.#someTurns(4);
    return { ...live.state };
  }

  /** The rest of an `apply` that takes time, and may call the managers, but not from inside such a call again. */
  async #goOn(inner: { depth: number }): Promise<void> {
    if (this.#random(2) === 0) await turn();
    if (this.setting.savingApply && !this.isOver && inner.depth < 1 && this.#random(3) === 0) {
      inner.depth++;
      await this.perform(this, this.#innerOp()).catch(() => {});
      inner.depth--;
    }
    await this.#someTurns(3);
    if (this.#fails(8)) throw new Error("late apply");
  }

  #innerOp(): Op {
    const { agents, asyncCollect } = this.setting;
    const last = asyncCollect ? "create" : "group";
    const kinds = ["create", "create", "restore", "undo", "guard", "restoreGroup", last];
    const kind = kinds[this.#random(kinds.length)]!;
    const variant = this.#random(1000);
    const [agent, pick] = [this.#random(agents), this.#random(1000)];
    return { kind, agent, hops: 0, turns: 0, pick, abortAfter: -1, variant };
  }
}
