/** Writes this writer's heads: at rotation, at close, and at most one second after a save, never on a save's way. */
import type { FileSystem } from "@ckpt/io";
import type { Findings } from "./findings.js";
import { type SegmentHead, writeHeads } from "./heads.js";
import type { StoreLayout } from "./layout.js";

/** A head is recorded at most so long after a save, in milliseconds. */
const DELAY_MS = 1000;

export class HeadsKeeper {
  readonly #fs: FileSystem;
  readonly #layout: StoreLayout;
  readonly #writerId: string;
  readonly #findings: Findings;
  readonly #heads: () => readonly SegmentHead[];
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<boolean> | undefined;

  constructor(
    context: { fs: FileSystem; layout: StoreLayout; writerId: string; findings: Findings },
    heads: () => readonly SegmentHead[],
  ) {
    this.#fs = context.fs;
    this.#layout = context.layout;
    this.#writerId = context.writerId;
    this.#findings = context.findings;
    this.#heads = heads;
  }

  /** Something was acknowledged: the heads will be written soon. */
  touch(): void {
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => void this.flush(), DELAY_MS);
    this.#timer.unref();
  }

  /** Writes them now; false when that did not work, which is reported. */
  async flush(): Promise<boolean> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    // One at a time, so that an older state never replaces a newer one.
    while (this.#writing !== undefined) await this.#writing;
    this.#writing = this.#write().finally(() => {
      this.#writing = undefined;
    });
    return this.#writing;
  }

  /** Stops without writing. */
  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    await this.#writing;
  }

  async #write(): Promise<boolean> {
    try {
      await writeHeads(this.#fs, this.#layout, this.#writerId, this.#heads());
      return true;
    } catch (error) {
      this.#findings.add({
        kind: "stale",
        place: this.#layout.headsFile(this.#writerId),
        message: `The heads could not be recorded: ${error instanceof Error ? error.message : String(error)}`,
        affectedIds: [],
        remedy: "Nothing is lost; a segment deleted or cut short from now on might not be noticed.",
      });
      return false;
    }
  }
}
