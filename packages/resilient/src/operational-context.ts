import { hostname } from "node:os";
import type { Json } from "@ckpt/core";
import { invalidArgument } from "./errors.js";
import type { OperationalContext } from "./options.js";

/** Resident memory is asked of the system at most this often, in milliseconds: it costs a system call. */
const MEMORY_EVERY_MS = 1_000;
/** Tasks and counters that a context holds. */
const MAX_REGISTERED = 256;

let host:
  | { readonly host: string; readonly pid: number; readonly node: string; readonly platform: string }
  | undefined;
let memory = { atMs: Number.NEGATIVE_INFINITY, bytes: 0 };

function hostFacts(): NonNullable<typeof host> {
  host ??= {
    host: hostname(),
    pid: process.pid,
    node: process.version,
    platform: `${process.platform}-${process.arch}`,
  };
  return host;
}

function residentBytes(): number {
  const nowMs = performance.now();
  if (nowMs - memory.atMs >= MEMORY_EVERY_MS) memory = { atMs: nowMs, bytes: process.memoryUsage.rss() };
  return memory.bytes;
}

/** The tasks and counters that an agent registered, and the rest of what a checkpoint says about its circumstances. */
export class AgentContext {
  readonly #agentId: string;
  readonly #tasks = new Map<string, Json>();
  readonly #counters = new Map<string, number>();

  constructor(agentId: string) {
    this.#agentId = agentId;
  }

  /** Registers a task with its status; null takes it off. */
  setTask(name: string, status: Json): void {
    if (status === null) this.#tasks.delete(name);
    else {
      this.#room(this.#tasks, name);
      this.#tasks.set(name, status);
    }
  }

  /** Adds to a counter. */
  count(name: string, by: number): void {
    const next = (this.#counters.get(name) ?? 0) + by;
    if (!Number.isFinite(next))
      throw invalidArgument(`Counter ${name} would be ${next}`, "Count by a finite number.");
    this.#room(this.#counters, name);
    this.#counters.set(name, next);
  }

  #room(of: ReadonlyMap<string, unknown>, name: string): void {
    if (of.has(name) || of.size < MAX_REGISTERED) return;
    throw invalidArgument(
      `${name} would be number ${MAX_REGISTERED + 1} of its kind in the operational context`,
      "The context is saved with every checkpoint: keep it small, and long lists in the state.",
    );
  }

  /** The context as it is now. Uptime is in whole seconds, so that quick saves do not differ by it. */
  describe(): OperationalContext {
    return {
      agentId: this.#agentId,
      ...hostFacts(),
      uptimeSeconds: Math.floor(process.uptime()),
      memoryBytes: residentBytes(),
      ...(this.#tasks.size > 0 && { tasks: Object.fromEntries(this.#tasks) }),
      ...(this.#counters.size > 0 && { counters: Object.fromEntries(this.#counters) }),
    };
  }
}
