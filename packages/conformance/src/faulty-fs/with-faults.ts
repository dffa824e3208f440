import type { FileHandle, FileSystem } from "@ckpt/io";
import type { FaultPlan } from "./fault-plan.js";
import type { OperationKind } from "./operation.js";

/** The first `length` bytes of the buffers. */
function firstBytes(buffers: readonly Uint8Array[], length: number): Uint8Array[] {
  const taken: Uint8Array[] = [];
  let rest = length;
  for (const buffer of buffers) {
    if (rest <= 0) break;
    taken.push(buffer.subarray(0, rest));
    rest -= buffer.length;
  }
  return taken;
}

class PlannedHandle implements FileHandle {
  readonly path: string;
  readonly #handle: FileHandle;
  readonly #plan: FaultPlan;
  readonly #dsync: boolean;
  #closed = false;

  constructor(handle: FileHandle, plan: FaultPlan, dsync: boolean) {
    this.path = handle.path;
    this.#handle = handle;
    this.#plan = plan;
    this.#dsync = dsync;
  }

  read: FileHandle["read"] = (...given) =>
    planned(this.#plan, "read", this.path, () => this.#handle.read(...given));
  truncate: FileHandle["truncate"] = (length) =>
    planned(this.#plan, "truncate", this.path, () => this.#handle.truncate(length));
  sync: FileHandle["sync"] = () => planned(this.#plan, "sync", this.path, () => this.#handle.sync(), true);
  datasync: FileHandle["datasync"] = () =>
    planned(this.#plan, "datasync", this.path, () => this.#handle.datasync(), true);
  stat: FileHandle["stat"] = () => planned(this.#plan, "fstat", this.path, () => this.#handle.stat());
  tryLock: FileHandle["tryLock"] = () =>
    planned(this.#plan, "tryLock", this.path, () => this.#handle.tryLock());

  write(buffers: readonly Uint8Array[], position: number): Promise<number> {
    const write = () => {
      const byteLength = buffers.reduce((sum, buffer) => sum + buffer.length, 0);
      const length = this.#plan.bytesTaken(byteLength);
      return this.#handle.write(length < byteLength ? firstBytes(buffers, length) : buffers, position);
    };
    return planned(this.#plan, "write", this.path, write, this.#dsync);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    let closed = false;
    try {
      await planned(this.#plan, "close", this.path, () => {
        closed = true;
        return this.#handle.close();
      });
    } finally {
      // A failing close() has closed nonetheless, so that no descriptor leaks.
      if (!closed) await this.#handle.close();
    }
  }
}

async function planned<T>(
  plan: FaultPlan,
  kind: OperationKind,
  path: string,
  effect: () => Promise<T>,
  promisesDurability = false,
): Promise<T> {
  const decision = plan.begin(kind, path, promisesDurability);
  if (decision.before !== undefined) throw decision.before;
  const result = await effect();
  if (decision.after === undefined) return result;
  // What was opened and is not handed over would never be closed.
  if (kind === "open" || kind === "create") await (result as FileHandle).close();
  throw decision.after;
}

/**
 * Another file system with faults on top: its operations are counted, and fail as `plan` says. Real files get injected errors this
 * way; power cuts need {@link FaultyFileSystem}, which knows what is on the disk and what is not.
 */
export function withFaults(fileSystem: FileSystem, plan: FaultPlan): FileSystem {
  return {
    open: (path, options) =>
      planned(plan, (options.create ?? "never") === "never" ? "open" : "create", path, async () => {
        const handle = await fileSystem.open(path, options);
        return new PlannedHandle(handle, plan, options.dsync === true);
      }),
    stat: (path) => planned(plan, "stat", path, () => fileSystem.stat(path)),
    readdir: (path) => planned(plan, "readdir", path, () => fileSystem.readdir(path)),
    mkdir: (path, mode) => planned(plan, "mkdir", path, () => fileSystem.mkdir(path, mode)),
    rename: (from, to) => planned(plan, "rename", from, () => fileSystem.rename(from, to)),
    link: (from, to) => planned(plan, "link", from, () => fileSystem.link(from, to)),
    unlink: (path) => planned(plan, "unlink", path, () => fileSystem.unlink(path)),
    rmdir: (path) => planned(plan, "rmdir", path, () => fileSystem.rmdir(path)),
    syncDirectory: (path) => planned(plan, "syncDirectory", path, () => fileSystem.syncDirectory(path), true),
    realpath: (path) => planned(plan, "realpath", path, () => fileSystem.realpath(path)),
    freeBytes: (path) => planned(plan, "freeBytes", path, () => fileSystem.freeBytes(path)),
  };
}
