import { type CheckpointStore, CkptError, type Lease, MemoryStore, type StoreEntry } from "@ckpt/core";

export type StoreMethod = "commit" | "list" | "get" | "load" | "agent" | "agents" | "acquire" | "compact";

interface Fault {
  readonly error: unknown;
  /** How many calls fail yet. */
  left: number;
  /** The call does its work, and reports a failure nevertheless. */
  readonly afterwards: boolean;
  /** Calls that go well first. */
  skip?: number;
}

/** A real store with switches: any method can be made to fail, before or after having done its work. */
export class FaultyStore extends MemoryStore {
  readonly calls: { method: StoreMethod; agentIds: string[] }[] = [];
  readonly batches: (readonly StoreEntry[])[] = [];
  readonly #faults = new Map<StoreMethod, Fault>();
  readonly #damaged = new Set<string>();
  readonly #leases = new Map<string, object>();
  #epoch = 0;
  /** Set to hold commits back until it resolves. */
  gate: Promise<void> | undefined;
  compactions = 0;
  /** Commits that were called, held back ones among them. */
  commitsAsked = 0;

  /** Makes a method fail: the next `times` calls, or until `heal`. */
  fail(method: StoreMethod, error: unknown, options: { times?: number; afterwards?: boolean } = {}): void {
    const { times = Number.POSITIVE_INFINITY, afterwards = false } = options;
    this.#faults.set(method, { error, left: times, afterwards });
  }

  /** Everything fails, as on a disk that was pulled out. */
  unplug(error: unknown = ioError("EIO")): void {
    for (const method of ["commit", "list", "get", "load", "agent", "agents", "acquire"] as const) {
      this.fail(method, error);
    }
  }

  /** Lets a method work until its `nth` call from now, which fails, as do all after it. */
  failFrom(method: StoreMethod, nth: number, error: unknown): void {
    this.#faults.set(method, { error, left: Number.POSITIVE_INFINITY, afterwards: false, skip: nth - 1 });
  }

  /** Holds commits back; call the result to let them go. */
  hold(): () => void {
    let open = (): void => {};
    this.gate = new Promise((resolve) => {
      open = resolve;
    });
    return () => {
      this.gate = undefined;
      open();
    };
  }

  heal(): void {
    this.#faults.clear();
  }

  /** The process that held agents here is gone. */
  freeLeases(): void {
    this.#leases.clear();
  }

  damage(id: string): void {
    this.#damaged.add(id);
  }

  async #run<T>(method: StoreMethod, agentIds: string[], work: () => Promise<T>): Promise<T> {
    this.calls.push({ method, agentIds });
    const fault = this.#faults.get(method);
    if (fault === undefined || fault.left <= 0) return work();
    if (fault.skip !== undefined && fault.skip-- > 0) return work();
    fault.left--;
    if (fault.afterwards) await work();
    throw fault.error;
  }

  override async commit(
    ...args: Parameters<CheckpointStore["commit"]>
  ): ReturnType<CheckpointStore["commit"]> {
    this.commitsAsked++;
    await this.gate;
    this.batches.push(args[0]);
    return this.#run("commit", [], () => super.commit(...args));
  }

  override async list(...args: Parameters<CheckpointStore["list"]>): ReturnType<CheckpointStore["list"]> {
    return this.#run("list", [args[0]], () => super.list(...args));
  }

  override async get(...args: Parameters<CheckpointStore["get"]>): ReturnType<CheckpointStore["get"]> {
    return this.#run("get", [args[0]], () => super.get(...args));
  }

  override async load(...args: Parameters<CheckpointStore["load"]>): ReturnType<CheckpointStore["load"]> {
    if (this.#damaged.has(args[1])) {
      throw new CkptError("CKPT_CORRUPT", {
        message: `Checkpoint ${args[1]} is damaged`,
        hint: "Run repair.",
      });
    }
    return this.#run("load", [args[0]], () => super.load(...args));
  }

  override async agent(...args: Parameters<CheckpointStore["agent"]>): ReturnType<CheckpointStore["agent"]> {
    return this.#run("agent", [args[0]], () => super.agent(...args));
  }

  override async agents(): Promise<string[]> {
    return this.#run("agents", [], () => super.agents());
  }

  override async acquire(agentId: string): Promise<Lease> {
    // Leases of its own, so that a test can end the process that has them.
    return this.#run("acquire", [agentId], async () => {
      const holder = this.#leases.get(agentId);
      if (holder !== undefined) {
        throw new CkptError("CKPT_LOCKED", {
          message: `${agentId} is held`,
          hint: "Wait.",
          details: { holder: "test" },
        });
      }
      const mark = {};
      this.#leases.set(agentId, mark);
      const release = async () => {
        if (this.#leases.get(agentId) === mark) this.#leases.delete(agentId);
      };
      return { agentId, epoch: ++this.#epoch, release };
    });
  }

  override async compact(): ReturnType<CheckpointStore["compact"]> {
    this.compactions++;
    return this.#run("compact", [], () => super.compact());
  }

  /** Ids in sequence order, as the store itself has them. */
  async ids(agentId: string): Promise<string[]> {
    return (await super.list(agentId)).map((header) => header.id);
  }
}

/** What a store rejects with when the system reports `errno`. */
export function ioError(errno: string): CkptError {
  const codes: Record<string, string> = {
    ENOSPC: "CKPT_NO_SPACE",
    EACCES: "CKPT_NO_PERMISSION",
    EROFS: "CKPT_NO_PERMISSION",
  };
  const cause = Object.assign(new Error(`${errno}: injected`), { code: errno });
  return new CkptError(codes[errno] ?? "CKPT_IO", {
    message: `Could not write: ${errno}`,
    hint: "Injected.",
    cause,
  });
}
