import type { FileNode } from "./file-node.js";

export interface SymlinkNode {
  readonly kind: "symlink";
  readonly ino: number;
  readonly mode: number;
  readonly target: string;
  links: number;
  mtimeMs: number;
}

export type DiskNode = FileNode | DirectoryNode | SymlinkNode;

/** One name that changed: it leads to `node` now, or to nothing. */
export interface EntryChange {
  readonly directory: DirectoryNode;
  readonly name: string;
  readonly node: DiskNode | undefined;
}

/** Changes of names that happen together: one for a creation or removal, two for a rename. */
export interface EntryOperation {
  /** Order among all entry operations of the disk. */
  readonly order: number;
  changes: readonly EntryChange[];
}

/** A directory: the names that processes see, those on the disk, and the operations in between, oldest first. */
export class DirectoryNode {
  readonly kind = "directory";
  readonly ino: number;
  readonly mode: number;
  readonly live: Map<string, DiskNode>;
  readonly durable: Map<string, DiskNode>;
  pending: EntryOperation[] = [];
  mtimeMs = 0;

  constructor(ino: number, mode: number, entries: Iterable<readonly [string, DiskNode]> = []) {
    this.ino = ino;
    this.mode = mode;
    this.live = new Map(entries);
    this.durable = new Map(this.live);
  }

  /** fsync of the directory. A rename that touches another one as well is durable in both: it is atomic. */
  flush(): void {
    for (const operation of [...this.pending]) {
      for (const { directory, name, node } of operation.changes) {
        if (node === undefined) directory.durable.delete(name);
        else directory.durable.set(name, node);
        directory.#supersede(operation, name);
      }
    }
  }

  /** `operation` is on the disk, so what happened to `name` before it can no longer be. */
  #supersede(operation: EntryOperation, name: string): void {
    for (const other of this.pending) {
      if (other.order >= operation.order) continue;
      other.changes = other.changes.filter((change) => change.directory !== this || change.name !== name);
    }
    this.pending = this.pending.filter((other) => other !== operation && other.changes.length > 0);
  }
}
