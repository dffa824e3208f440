import type { CheckpointDraft, StoreEvent } from "@ckpt/core";
import type { AgentWriter, PendingPut } from "./agent-writer.js";
import type { EventEntry, PutEntry, RemovalEntry } from "./entry.js";
import type { OnProgress } from "./progress.js";

/** A put before it is planned: its number is fixed, how it is stored is not. */
export interface PutItem extends PendingPut {
  readonly kind: "put";
  readonly writer: AgentWriter;
  /** Given once the whole batch has been accepted. */
  n: number;
  readonly draft: CheckpointDraft;
}

/** An accepted entry that has no number yet. */
export type AcceptedItem =
  | PutItem
  | { readonly kind: "fact"; readonly writer: AgentWriter; readonly fact: Fact };
type Fact =
  | { readonly kind: "removal"; readonly ids: readonly string[]; readonly reason: string }
  | { readonly kind: "event"; readonly event: StoreEvent };

interface FactItem {
  readonly kind: "fact";
  readonly writer: AgentWriter;
  readonly entry: RemovalEntry | EventEntry;
}

export type CommitItem = PutItem | FactItem;
export type WrittenEntry = PutEntry | RemovalEntry | EventEntry;

/** One batch on its way to the log. */
export class PendingCommit {
  readonly items: readonly CommitItem[];
  /** Each once. */
  readonly writers: readonly AgentWriter[];
  /** Resolves to the bytes written, once durable. */
  readonly done: Promise<number>;
  /** How it is stored in the segment that it was last sent to. */
  planned: readonly WrittenEntry[] = [];
  isSent = false;
  /** It is stored on nothing that comes before it: where else chains end decides whether its header fits. */
  beginsChains = false;
  /** Given up; it is in no queue any more. */
  isRejected = false;
  onProgress: OnProgress | undefined;
  /** Commits under way that bring puts which were given here once more: their failure is this one's. */
  follows: readonly unknown[] = [];
  #resolve!: (bytesWritten: number) => void;
  #reject!: (error: unknown) => void;

  constructor(items: readonly CommitItem[]) {
    this.items = items;
    this.writers = items.length === 1 ? [items[0]!.writer] : [...new Set(items.map((item) => item.writer))];
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    for (const item of items) if (item.kind === "put") item.commit = this;
    for (const writer of this.writers) writer.begin();
  }

  /** Whether it only removes or records facts: such a commit may use the reserve of a full disk. */
  get isSmall(): boolean {
    return this.items.every((item) => item.kind === "fact");
  }

  succeed(bytesWritten: number): void {
    this.#resolve(bytesWritten);
  }

  fail(error: unknown): void {
    this.isRejected = true;
    this.#reject(error);
  }
}
