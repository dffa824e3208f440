/**
 * One core per directory and process, however many store objects (or copies of this package) open it: they share the index and one
 * log, by reference count.
 */
import path from "node:path";
import { classify, type FileSystem, nodeFileSystem } from "@ckpt/io";
import type { ResolvedOptions } from "./options.js";
import { FORMAT_VERSION } from "./segment-header.js";
import { StoreCore } from "./store-core.js";

interface Shared {
  readonly core: StoreCore;
  references: number;
  /** The core is being closed; who comes now waits, and opens another. */
  closing: Promise<void> | undefined;
}

const KEY = Symbol.for(`@ckpt/disk/cores/${FORMAT_VERSION}`);

function cores(): Map<string, Shared> {
  const holder = globalThis as { [KEY]?: Map<string, Shared> };
  holder[KEY] ??= new Map();
  return holder[KEY];
}

/** A use of a core; `close` gives it up, and closes the core with the last one. */
export interface CoreUse {
  readonly core: StoreCore;
  close(): Promise<void>;
}

/** The core for `directory`, an absolute path; a store with a file system of its own has one for itself. */
export async function useCore(directory: string, options: ResolvedOptions): Promise<CoreUse> {
  const root = await realRoot(options.fs, directory);
  if (options.fs !== nodeFileSystem) {
    const core = new StoreCore(root, options);
    return { core, close: () => core.close() };
  }
  for (;;) {
    const shared = cores().get(root);
    if (shared?.closing === undefined) return share(root, shared, options);
    await shared.closing.catch(() => undefined); // whoever closes it hears of the failure
  }
}

function share(root: string, known: Shared | undefined, options: ResolvedOptions): CoreUse {
  const shared = known ?? { core: new StoreCore(root, options), references: 0, closing: undefined };
  cores().set(root, shared);
  shared.references++;
  let isClosed = false;
  return {
    core: shared.core,
    close: async () => {
      if (isClosed) return;
      isClosed = true;
      if (--shared.references > 0) return;
      shared.closing = shared.core.close().finally(() => cores().delete(root));
      await shared.closing;
    },
  };
}

/** The directory's path without links, as far as it exists. */
async function realRoot(fs: FileSystem, directory: string): Promise<string> {
  const rest: string[] = [];
  for (let at = directory; ; at = path.dirname(at)) {
    try {
      return path.join(await fs.realpath(at), ...rest);
    } catch (error) {
      if (classify(error) !== "not-found" || at === path.dirname(at)) throw error;
      rest.unshift(path.basename(at));
    }
  }
}
