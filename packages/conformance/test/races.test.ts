import { exploreRaces, type FaultyFileSystem } from "@ckpt/conformance";
import type { CheckpointStore, Lease } from "@ckpt/core";
import { CkptError } from "@ckpt/core";
import type { FileHandle } from "@ckpt/io";
import { describe, expect, it } from "vitest";
import { LogStore } from "./log-store.js";

/** The log store with one writer at a time: a lock file is held from the first acquisition to the end. */
class LockedLogStore implements CheckpointStore {
  readonly supports = Object.freeze({ durable: true, leases: true, fencing: false, maintenance: false });
  readonly #fs: FaultyFileSystem;
  #inner: LogStore;
  #lock: FileHandle | undefined;

  private constructor(fs: FaultyFileSystem, inner: LogStore) {
    this.#fs = fs;
    this.#inner = inner;
  }

  static async open(fs: FaultyFileSystem): Promise<LockedLogStore> {
    return new LockedLogStore(fs, await LogStore.open(fs, "/log"));
  }

  async acquire(agentId: string): Promise<Lease> {
    if (this.#lock === undefined) {
      const handle = await this.#fs.open("/lock", { access: "write", create: "ifMissing" });
      if ((await handle.tryLock()) !== "taken") {
        await handle.close();
        throw new CkptError("CKPT_LOCKED", { message: "Another process writes here." });
      }
      this.#lock = handle;
      // Others may have written since this one read.
      this.#inner = await LogStore.open(this.#fs, "/log");
    }
    return { ...(await this.#inner.acquire(agentId)), release: async () => undefined };
  }

  async close(): Promise<void> {
    await this.#inner.close();
    await this.#lock?.close();
  }

  commit: CheckpointStore["commit"] = (...given) => this.#inner.commit(...given);
  list: CheckpointStore["list"] = (...given) => this.#inner.list(...given);
  get: CheckpointStore["get"] = (...given) => this.#inner.get(...given);
  load: CheckpointStore["load"] = (...given) => this.#inner.load(...given);
  agent: CheckpointStore["agent"] = (agentId) => this.#inner.agent(agentId);
  agents: CheckpointStore["agents"] = () => this.#inner.agents();
  verify: CheckpointStore["verify"] = (options) => this.#inner.verify(options);
  compact: CheckpointStore["compact"] = (options) => this.#inner.compact(options);
  takeFindings: CheckpointStore["takeFindings"] = () => this.#inner.takeFindings();
}

describe("races of processes for agents", () => {
  it("are survived by a store with a lock", async () => {
    const report = await exploreRaces({ open: LockedLogStore.open, runs: 10 });
    expect(report.breaches).toEqual([]);
    expect(report.acknowledged).toBeGreaterThan(50);
    expect(report.refused).toBeGreaterThan(20);
    expect(report.kills).toBeGreaterThan(20);
  });

  it("catch a store without one", async () => {
    const report = await exploreRaces({ open: (fs) => LogStore.open(fs, "/log"), runs: 10 });
    expect(new Set(report.breaches.map((breach) => breach.kind))).toContain("shared");
  });

  it("come out the same for the same seed", async () => {
    const play = () => exploreRaces({ open: LockedLogStore.open, runs: 2 });
    expect(await play()).toEqual(await play());
  });
});
