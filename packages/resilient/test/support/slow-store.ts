import { CkptError, type CommitReceipt, MemoryStore, type StoreEntry } from "@ckpt/core";

/** Numbers from 0 to below `below`, the same for the same seed. */
export function randomOf(seed: number): (below: number) => number {
  let a = seed >>> 0;
  return (below) => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

/** Until what waits for the loop has run. */
export const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** A store that takes its time: commits stay in order, reads overtake them. */
export class SlowStore extends MemoryStore {
  readonly #random: (below: number) => number;
  readonly #failing: boolean;
  #last: Promise<unknown> = Promise.resolve();
  isHealed = false;

  constructor(random: (below: number) => number, failing: boolean) {
    super();
    this.#random = random;
    this.#failing = failing;
  }

  async #pause(): Promise<void> {
    const n = this.#random(6);
    if (n < 3) for (let i = 0; i < n * 3; i++) await Promise.resolve();
    else for (let i = 3; i < n; i++) await turn();
  }

  override commit(entries: readonly StoreEntry[]): Promise<CommitReceipt> {
    const before = this.#last;
    const isFailing = this.#failing && !this.isHealed && this.#random(6) === 0;
    const run = async () => {
      await before;
      await this.#pause();
      if (isFailing) throw new CkptError("CKPT_LIMIT", { message: "No." });
      const receipt = await super.commit(entries);
      await this.#pause();
      return receipt;
    };
    const running = run();
    this.#last = running.catch(() => {});
    return running;
  }

  override async agent(...args: Parameters<MemoryStore["agent"]>): ReturnType<MemoryStore["agent"]> {
    await this.#pause();
    const found = await super.agent(...args);
    await this.#pause();
    return found;
  }

  override async get(...args: Parameters<MemoryStore["get"]>): ReturnType<MemoryStore["get"]> {
    await this.#pause();
    return super.get(...args);
  }

  override async list(...args: Parameters<MemoryStore["list"]>): ReturnType<MemoryStore["list"]> {
    await this.#pause();
    return super.list(...args);
  }

  override async load(...args: Parameters<MemoryStore["load"]>): ReturnType<MemoryStore["load"]> {
    await this.#pause();
    return super.load(...args);
  }
}
