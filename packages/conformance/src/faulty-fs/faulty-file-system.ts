import type { FileHandle, FileStat, FileSystem, OpenOptions } from "@ckpt/io";
import { DirectoryNode } from "./directory-node.js";
import { Disk, type DiskLimits, requireNoNul } from "./disk.js";
import { type DiskImage, hashImage, takeImage } from "./disk-image.js";
import { errnoError } from "./errno.js";
import { FaultPlan } from "./fault-plan.js";
import { FaultyHandle } from "./faulty-handle.js";
import { FaultyProcess, type Observer } from "./faulty-process.js";
import { FileNode } from "./file-node.js";
import { type PowerCutOptions, survivors } from "./power-cut.js";
import type { SeededRandom } from "./random.js";
import { renameOn } from "./rename-on.js";
import { restoreImage } from "./restore-image.js";
import { statOf } from "./stat-of.js";

export interface FaultyFileSystemOptions {
  /** Start from the durable part of this image instead of an empty disk. */
  readonly image?: DiskImage;
  /** Bytes and files that fit on the disk. Default: without limit. */
  readonly limits?: Partial<DiskLimits>;
  /** Whether `tryLock` works. False: it answers `unsupported`, as on a machine without such locks. Default true. */
  readonly locks?: boolean;
  /** The faults to come. Default: none; they can be added at any time. */
  readonly faults?: FaultPlan;
}

/**
 * A file system in memory that tells apart what processes see from what the disk holds, by strict POSIX: data are durable after
 * `sync`, `datasync` or an O_DSYNC write; a name (new, renamed, removed, linked) only after `syncDirectory` of its directory, the name
 * of a new directory included. Nothing else makes anything durable.
 *
 * One object is one process's view. `process()` gives other processes over the same disk, `killProcess()` ends this one,
 * `powerCut()` gives the disk that the next start finds. Every call is an operation that `faults` counts and can fail.
 */
export class FaultyFileSystem implements FileSystem {
  readonly #disk: Disk;
  readonly #process: FaultyProcess;

  constructor(options: FaultyFileSystemOptions = {}, disk?: Disk) {
    this.#disk = disk ?? (options.image === undefined ? new Disk() : restoreImage(options.image));
    this.#process = new FaultyProcess(this.#disk, options.faults ?? new FaultPlan(), options.locks ?? true);
    if (options.limits !== undefined) this.setLimits(options.limits);
  }

  /** Counts this process's operations and fails them. */
  get faults(): FaultPlan {
    return this.#process.faults;
  }

  /** Fills the disk up, or makes room. */
  setLimits(limits: Partial<DiskLimits>): void {
    this.#disk.limits = { ...this.#disk.limits, ...limits };
  }

  /** Bytes that all files hold. */
  get usedBytes(): number {
    return this.#disk.usedBytes;
  }

  /** Another process on the same machine, with faults of its own. */
  process(faults: FaultPlan = new FaultPlan()): FaultyFileSystem {
    return new FaultyFileSystem({ faults, locks: this.#process.locks }, this.#disk);
  }

  /** kill -9: handles are closed and locks free, written data stay where they are. Later calls throw `CKPT_PROCESS_KILLED`. */
  killProcess(): void {
    this.#process.kill();
  }

  /** The disk that the next start finds after a power cut at this moment. This one goes on, so that other outcomes can be tried. */
  powerCut(options: PowerCutOptions): FaultyFileSystem {
    return new FaultyFileSystem({ image: survivors(this.image(), options), locks: this.#process.locks });
  }

  /** The disk at this moment, durable and pending, frozen. */
  image(): DiskImage {
    return takeImage(this.#disk);
  }

  /** Everything durable as one hash. */
  hash(): string {
    return hashImage(this.image());
  }

  /** Calls `observer` before each operation takes effect, and once more in the midst of an O_DSYNC write. */
  observe(observer: Observer | undefined): void {
    this.#process.observer = observer;
  }

  /**
   * Lets up to `maxTurns` steps of others pass before each operation takes effect, as `random` says, so that calls and processes overlap in
   * ever new ways. Without `random`: one step, as at first.
   */
  setPace(random: SeededRandom | undefined, maxTurns = 8): void {
    this.#process.pace = random === undefined ? undefined : () => random.below(maxTurns);
  }

  /** Puts a symbolic link on the disk, durable at once: for tests of planted links. */
  plantSymlink(path: string, target: string): void {
    this.#disk.plantSymlink(path, target);
  }

  open(path: string, options: OpenOptions): Promise<FileHandle> {
    const { create = "never", access } = options;
    return this.#process.operate(create === "never" ? "open" : "create", path, () => {
      const { parent, name, node } = this.#disk.locate(path, "open");
      if (node !== undefined) {
        if (create === "exclusive") throw errnoError("EEXIST", "open", path);
        if (node.kind === "symlink") throw errnoError("ELOOP", "open", path);
        if (node.kind === "directory" && (access !== "read" || create !== "never")) {
          throw errnoError("EISDIR", "open", path);
        }
        return new FaultyHandle(this.#process, path, node, options);
      }
      if (create === "never") throw errnoError("ENOENT", "open", path);
      this.#disk.takeNode("open", path);
      const file = new FileNode(this.#disk.nextIno(), options.mode ?? 0o600);
      file.mtimeMs = this.#disk.tick();
      this.#disk.change({ directory: parent, name, node: file });
      return new FaultyHandle(this.#process, path, file, options);
    });
  }

  stat(path: string): Promise<FileStat | undefined> {
    return this.#process.operate("stat", path, () => {
      try {
        const { node } = this.#disk.locate(path, "lstat");
        return node === undefined ? undefined : statOf(node);
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code === "ENOENT" || code === "ENOTDIR") return undefined;
        throw error;
      }
    });
  }

  readdir(path: string): Promise<string[]> {
    return this.#process.operate("readdir", path, () =>
      [...this.#disk.directory(path, "scandir").live.keys()].sort(),
    );
  }

  mkdir(path: string, mode: number): Promise<void> {
    return this.#process.operate("mkdir", path, () => {
      const { parent, name, node } = this.#disk.locate(path, "mkdir");
      if (node !== undefined) throw errnoError("EEXIST", "mkdir", path);
      this.#disk.takeNode("mkdir", path);
      const directory = new DirectoryNode(this.#disk.nextIno(), mode);
      directory.mtimeMs = this.#disk.tick();
      this.#disk.change({ directory: parent, name, node: directory });
    });
  }

  rename(from: string, to: string): Promise<void> {
    return this.#process.operate("rename", from, () => renameOn(this.#disk, from, to));
  }

  link(from: string, to: string): Promise<void> {
    return this.#process.operate("link", from, () => {
      requireNoNul(to);
      const { node } = this.#disk.locate(from, "link");
      if (node === undefined) throw errnoError("ENOENT", "link", from);
      const target = this.#disk.locate(to, "link");
      if (target.node !== undefined) throw errnoError("EEXIST", "link", to);
      if (node.kind === "directory") throw errnoError("EPERM", "link", from);
      this.#disk.change({ directory: target.parent, name: target.name, node });
    });
  }

  unlink(path: string): Promise<void> {
    return this.#process.operate("unlink", path, () => {
      const { parent, name, node } = this.#disk.locate(path, "unlink");
      if (node === undefined) throw errnoError("ENOENT", "unlink", path);
      if (node.kind === "directory") throw errnoError("EISDIR", "unlink", path);
      this.#disk.change({ directory: parent, name, node: undefined });
      this.#disk.releaseIfGone(node);
    });
  }

  rmdir(path: string): Promise<void> {
    return this.#process.operate("rmdir", path, () => {
      const { parent, name, node } = this.#disk.locate(path, "rmdir");
      if (node === undefined) throw errnoError("ENOENT", "rmdir", path);
      if (node.kind !== "directory") throw errnoError("ENOTDIR", "rmdir", path);
      if (node === this.#disk.root) throw errnoError("EBUSY", "rmdir", path);
      if (node.live.size > 0) throw errnoError("ENOTEMPTY", "rmdir", path);
      this.#disk.change({ directory: parent, name, node: undefined });
      this.#disk.releaseIfGone(node);
    });
  }

  syncDirectory(path: string): Promise<void> {
    // A failed sync of a directory forgets nothing: entries are the journal's, and it tries again or stops the whole disk.
    const flush = () => this.#disk.directory(path, "open").flush();
    return this.#process.operate("syncDirectory", path, flush, { promises: true });
  }

  realpath(path: string): Promise<string> {
    return this.#process.operate("realpath", path, () => {
      const { node, realPath } = this.#disk.locate(path, "realpath", true);
      if (node === undefined) throw errnoError("ENOENT", "realpath", path);
      return realPath;
    });
  }

  freeBytes(path: string): Promise<number | undefined> {
    return this.#process.operate("freeBytes", path, () => {
      if (this.#disk.locate(path, "statfs", true).node === undefined)
        throw errnoError("ENOENT", "statfs", path);
      const free = this.#disk.limits.maxBytes - this.#disk.usedBytes;
      return Number.isFinite(free) ? Math.max(0, free) : undefined;
    });
  }
}
