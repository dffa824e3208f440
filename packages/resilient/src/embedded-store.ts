import { resolve } from "node:path";
import { DiskStore } from "@ckpt/disk";
import { type LadderOptions, ladderOver } from "./shared-ladder.js";
import type { DegradingStore } from "./with-degradation.js";

interface Embedded {
  readonly ladder: DegradingStore;
  users: number;
}

const open = new Map<string, Embedded>();

/** A share in the embedded store of a directory. */
export interface EmbeddedStore {
  readonly ladder: DegradingStore;
  /** Counts this share in. */
  enter(): void;
  /** Gives the share back; the last one closes the store. */
  leave(): Promise<void>;
}

/** The disk store of `directory`: one per directory and process, opened by the first call that needs it. */
export function embeddedStore(directory: string, options: LadderOptions): EmbeddedStore {
  const path = resolve(directory);
  const entry = open.get(path) ?? { ladder: ladderOver(new DiskStore(path), options), users: 0 };
  open.set(path, entry);
  let isIn = false;
  return {
    ladder: entry.ladder,
    enter: () => {
      isIn = true;
      entry.users++;
    },
    leave: async () => {
      if (!isIn) return;
      isIn = false;
      if (--entry.users > 0) return;
      if (open.get(path) === entry) open.delete(path);
      await entry.ladder.close();
    },
  };
}
