import { CkptError } from "@ckpt/errors";
import type { ConformanceErrorCode } from "../errors.js";
import { errnoError } from "./errno.js";
import type { Operation, OperationKind } from "./operation.js";
import { SeededRandom } from "./random.js";

export interface FailOptions {
  /** The errno name, for example `ENOSPC`. */
  readonly errno: string;
  /** `once` (default): the first matching operation from the n-th on. `forever`: it and all later ones. */
  readonly mode?: "once" | "forever";
  /** The operation takes effect, and then reports the error. Default false. */
  readonly afterDoing?: boolean;
  /** Only operations of these kinds match. Default: all. */
  readonly only?: readonly OperationKind[];
}

export interface FailSyncOptions {
  /** Which of the operations that promise durability fails, from 1. */
  readonly at: number;
  /** Default `EIO`. */
  readonly errno?: string;
  /**
   * The kernel counts the pages as clean although they never reached the disk, so a later sync succeeds without writing them.
   * Default false: they stay dirty. Holds for data; entries of directories stay dirty in either case. On a real file system below `withFaults` the sync is left out and nothing else changes.
   */
  readonly marksClean?: boolean;
  /** The data reach the disk, and the error is reported nonetheless. Default false. */
  readonly afterDoing?: boolean;
}

export interface ShortWriteOptions {
  readonly seed: number;
  /** How probable it is that a write of more than one byte comes out short. Default 0.5. */
  readonly probability?: number;
}

/** What is to become of one operation. */
export interface Decision {
  readonly operation: Operation;
  /** Thrown instead of doing it. */
  readonly before?: Error;
  /** Thrown after doing it. */
  readonly after?: Error;
  /** With `before`, on a sync: the pages count as clean from now on. */
  readonly marksClean?: boolean;
}

interface Rule {
  readonly matches: (operation: Operation) => boolean;
  readonly forever: boolean;
  readonly errno: string;
  readonly afterDoing: boolean;
  readonly marksClean: boolean;
  spent: boolean;
}

/** Counts operations and decides which of them fail, and how. The same plan on the same calls fails the same ones. */
export class FaultPlan {
  readonly #rules: Rule[] = [];
  readonly #trace: Operation[] = [];
  #syncs = 0;
  #cutAfter = Number.POSITIVE_INFINITY;
  #short: { readonly random: SeededRandom; readonly probability: number } | undefined;

  /** All operations so far. */
  get trace(): readonly Operation[] {
    return this.#trace;
  }

  /** How many operations there were so far. */
  get operations(): number {
    return this.#trace.length;
  }

  /** How many of them promised durability. */
  get syncs(): number {
    return this.#syncs;
  }

  /** Whether any fault has struck. */
  get struck(): boolean {
    return this.#rules.some((rule) => rule.spent);
  }

  /** Fails the n-th operation (from 1), or the first matching one after it. */
  failAt(n: number, options: FailOptions): this {
    const { errno, mode = "once", afterDoing = false, only } = options;
    const matches = ({ index, kind }: Operation) => index >= n && (only === undefined || only.includes(kind));
    this.#rules.push({
      matches,
      forever: mode === "forever",
      errno,
      afterDoing,
      marksClean: false,
      spent: false,
    });
    return this;
  }

  /** Fails one operation that promises durability. */
  failSync(options: FailSyncOptions): this {
    const { at, errno = "EIO", marksClean = false, afterDoing = false } = options;
    const matches = ({ syncIndex }: Operation) => syncIndex === at;
    this.#rules.push({ matches, forever: false, errno, afterDoing, marksClean, spent: false });
    return this;
  }

  /** Lets writes take fewer bytes than they were given, at least one. */
  shortWrites(options: ShortWriteOptions): this {
    this.#short = { random: new SeededRandom(options.seed), probability: options.probability ?? 0.5 };
    return this;
  }

  /** After the n-th operation, none takes effect: each throws `CKPT_POWER_CUT`. */
  cutAfter(n: number): this {
    this.#cutAfter = n;
    return this;
  }

  /** Forgets all faults to come; counts go on. */
  heal(): this {
    this.#rules.length = 0;
    this.#short = undefined;
    this.#cutAfter = Number.POSITIVE_INFINITY;
    return this;
  }

  /** Counts an operation and decides about it. Throws when the power is off. */
  begin(kind: OperationKind, path: string, promisesDurability: boolean): Decision {
    if (this.#trace.length >= this.#cutAfter) throw powerCut(kind, path);
    const syncIndex = promisesDurability ? ++this.#syncs : 0;
    const operation = { index: this.#trace.length + 1, kind, path, syncIndex };
    this.#trace.push(operation);
    const rule = this.#rules.find((r) => (r.forever || !r.spent) && r.matches(operation));
    if (rule === undefined) return { operation };
    rule.spent = true;
    const error = errnoError(rule.errno, kind, path);
    if (rule.afterDoing) return { operation, after: error };
    return { operation, before: error, marksClean: rule.marksClean };
  }

  /** How many of so many bytes a write takes. */
  bytesTaken(byteLength: number): number {
    if (this.#short === undefined || byteLength < 2) return byteLength;
    const { random, probability } = this.#short;
    return random.chance(probability) ? 1 + random.below(byteLength - 1) : byteLength;
  }
}

function powerCut(kind: OperationKind, path: string): CkptError<ConformanceErrorCode> {
  return new CkptError<ConformanceErrorCode>("CKPT_POWER_CUT", {
    message: `The power was cut before ${kind} ${path}.`,
    hint: "Open what survived: powerCut() gives it as a new file system.",
  });
}
