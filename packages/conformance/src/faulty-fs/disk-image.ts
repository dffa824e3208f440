import { createHash } from "node:crypto";
import { DirectoryNode, type DiskNode, type SymlinkNode } from "./directory-node.js";
import type { Disk } from "./disk.js";
import type { FileChange, FileNode } from "./file-node.js";

export interface FileImage {
  readonly kind: "file";
  readonly ino: number;
  readonly mode: number;
  readonly durable: Uint8Array;
  readonly pending: readonly FileChange[];
}

export interface DirectoryImage {
  readonly kind: "directory";
  readonly ino: number;
  readonly mode: number;
  readonly durable: ReadonlyMap<string, number>;
}

export type NodeImage = FileImage | DirectoryImage | Pick<SymlinkNode, "kind" | "ino" | "mode" | "target">;

export interface EntryOperationImage {
  readonly order: number;
  readonly changes: readonly {
    readonly directory: number;
    readonly name: string;
    readonly node: number | undefined;
  }[];
}

/** A disk at one moment, frozen: what is durable, and what is pending. Files that did not change share their image with the one before. */
export interface DiskImage {
  readonly nodes: ReadonlyMap<number, NodeImage>;
  readonly pendingEntries: readonly EntryOperationImage[];
  readonly limits: Disk["limits"];
}

const cached = new WeakMap<FileNode, { readonly version: number; readonly image: FileImage }>();

function fileImage(file: FileNode): FileImage {
  const known = cached.get(file);
  if (known?.version === file.version) return known.image;
  const { ino, mode } = file;
  const image: FileImage = {
    kind: "file",
    ino,
    mode,
    durable: file.durable.frozen(),
    pending: [...file.pending],
  };
  cached.set(file, { version: file.version, image });
  return image;
}

function nodeImage(node: DiskNode): NodeImage {
  if (node.kind === "file") return fileImage(node);
  const { ino, mode } = node;
  if (node.kind === "symlink") return { kind: "symlink", ino, mode, target: node.target };
  return {
    kind: "directory",
    ino,
    mode,
    durable: new Map([...node.durable].map(([name, child]) => [name, child.ino])),
  };
}

/** Freezes the disk: everything that can be there after a power cut. */
export function takeImage(disk: Disk): DiskImage {
  const nodes = new Map<number, NodeImage>();
  const operations = new Map<number, EntryOperationImage>();
  const queue: DiskNode[] = [disk.root];
  for (let node = queue.pop(); node !== undefined; node = queue.pop()) {
    if (nodes.has(node.ino)) continue;
    nodes.set(node.ino, nodeImage(node));
    if (!(node instanceof DirectoryNode)) continue;
    queue.push(...node.durable.values());
    for (const { order, changes } of node.pending) {
      for (const change of changes) {
        queue.push(change.directory);
        if (change.node !== undefined) queue.push(change.node);
      }
      const frozen = changes.map((c) => ({ directory: c.directory.ino, name: c.name, node: c.node?.ino }));
      operations.set(order, { order, changes: frozen });
    }
  }
  const pendingEntries = [...operations.values()].sort((a, b) => a.order - b.order);
  return { nodes, pendingEntries, limits: disk.limits };
}

/** The durable part of an image as one hash: paths, kinds, modes and bytes. Equal hash = equal disk after a restart. */
export function hashImage(image: DiskImage): string {
  const hash = createHash("sha256");
  const visit = (path: string, ino: number): void => {
    const node = image.nodes.get(ino)!;
    hash.update(JSON.stringify([path, node.kind, node.mode]));
    if (node.kind === "symlink") hash.update(node.target);
    if (node.kind === "file") hash.update(`${node.durable.length}:`).update(node.durable);
    if (node.kind !== "directory") return;
    for (const [name, child] of [...node.durable].sort(([a], [b]) => (a < b ? -1 : 1)))
      visit(`${path}/${name}`, child);
  };
  visit("", 1);
  return hash.digest("hex");
}
