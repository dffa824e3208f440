import { posix } from "node:path";
import { DirectoryNode, type DiskNode, type EntryChange, type SymlinkNode } from "./directory-node.js";
import { errnoError } from "./errno.js";
import type { FileNode } from "./file-node.js";

const NAME_MAX_BYTES = 255;
const PATH_MAX_BYTES = 4_096;
const SYMLINKS_MAX = 40;

export interface DiskLimits {
  /** How many bytes all files may hold together. */
  readonly maxBytes: number;
  /** How many files and directories there may be. */
  readonly maxNodes: number;
}

/** Node's own check, which comes before any look at the disk. */
export function requireNoNul(path: string): void {
  if (!path.includes("\0")) return;
  throw Object.assign(new TypeError(`The path ${JSON.stringify(path)} has a NUL.`), {
    code: "ERR_INVALID_ARG_VALUE",
  });
}

/** The names in a path from the root on, and whether walking them takes no care: there are no links then, and none is too long. */
interface Names {
  readonly names: readonly string[];
  readonly isPlain: boolean;
}

const MAX_KNOWN_PATHS = 4_096;
const knownPaths = new Map<string, Names>();

/** Splits an absolute path, once for the thousands of times that runs use it. */
function namesIn(path: string): Names {
  const known = knownPaths.get(path);
  if (known !== undefined) return known;
  const names = posix.resolve("/", path).split("/").filter(Boolean);
  const isPlain =
    names.every((name) => Buffer.byteLength(name) <= NAME_MAX_BYTES) &&
    Buffer.byteLength(path) < PATH_MAX_BYTES;
  if (knownPaths.size >= MAX_KNOWN_PATHS) knownPaths.clear();
  const found = { names, isPlain };
  knownPaths.set(path, found);
  return found;
}

interface Step {
  readonly name: string;
  readonly node: DiskNode | undefined;
}

/** Where a path leads: its parent directory, its last name, and what is there. The root has no name, and is its own parent. */
export interface Place extends Step {
  readonly parent: DirectoryNode;
  /** The path without links. */
  readonly realPath: string;
}

function placeOf(trail: readonly Step[]): Place {
  const { name, node } = trail.at(-1)!;
  const realPath = `/${trail
    .slice(1)
    .map((step) => step.name)
    .join("/")}`;
  const above = trail.at(-2)?.node ?? node;
  if (above?.kind !== "directory")
    throw new TypeError("The root is a directory, and only directories have names in them.");
  return { parent: above, name, node, realPath };
}

/** The tree of nodes, shared by all processes of one simulated machine. */
export class Disk {
  readonly root: DirectoryNode;
  limits: DiskLimits = { maxBytes: Number.POSITIVE_INFINITY, maxNodes: Number.POSITIVE_INFINITY };
  usedBytes = 0;
  /** Node → the handle that holds its lock. */
  readonly locks = new Map<FileNode, object>();
  #nodes = 1;
  #lastIno = 1;
  #lastOrder = 0;
  #clockMs = 0;

  constructor() {
    this.root = new DirectoryNode(1, 0o755);
  }

  nextIno(): number {
    return ++this.#lastIno;
  }

  /** Time on this disk: a counter, so that runs can be replayed. */
  tick(): number {
    return ++this.#clockMs;
  }

  /** Follows `path`; links are followed in every component but the last, and there too with `follow`. */
  locate(path: string, syscall: string, follow = false): Place {
    requireNoNul(path);
    if (path === "") throw errnoError("ENOENT", syscall, path);
    const { names, isPlain } = namesIn(path);
    return (isPlain && this.#walk(names, syscall, path)) || this.#follow(path, syscall, follow);
  }

  /** The short way; undefined when it meets a link. */
  #walk(names: readonly string[], syscall: string, path: string): Place | undefined {
    let [parent, name]: [DirectoryNode, string] = [this.root, ""];
    let node: DiskNode | undefined = this.root;
    for (const next of names) {
      if (node === undefined) throw errnoError("ENOENT", syscall, path);
      if (node.kind !== "directory") throw errnoError("ENOTDIR", syscall, path);
      parent = node;
      name = next;
      node = parent.live.get(name);
      if (node?.kind === "symlink") return undefined;
    }
    return { parent, name, node, realPath: `/${names.join("/")}` };
  }

  #follow(path: string, syscall: string, follow: boolean): Place {
    if (Buffer.byteLength(path) >= PATH_MAX_BYTES) throw errnoError("ENAMETOOLONG", syscall, path);
    const rest = posix.resolve("/", path).split("/").filter(Boolean);
    const trail: Step[] = [{ name: "", node: this.root }];
    for (let links = 0; rest.length > 0; ) {
      const at = trail.at(-1)?.node;
      if (at === undefined) throw errnoError("ENOENT", syscall, path);
      if (at.kind !== "directory") throw errnoError("ENOTDIR", syscall, path);
      const name = rest.shift()!;
      if (name === "..") {
        if (trail.length > 1) trail.pop();
        continue;
      }
      if (Buffer.byteLength(name) > NAME_MAX_BYTES) throw errnoError("ENAMETOOLONG", syscall, path);
      const node = at.live.get(name);
      if (node?.kind !== "symlink" || (rest.length === 0 && !follow)) {
        trail.push({ name, node });
        continue;
      }
      if (++links > SYMLINKS_MAX) throw errnoError("ELOOP", syscall, path);
      if (node.target.startsWith("/")) trail.length = 1;
      rest.unshift(...node.target.split("/").filter((part) => part !== "" && part !== "."));
    }
    return placeOf(trail);
  }

  directory(path: string, syscall: string, follow = true): DirectoryNode {
    const { node } = this.locate(path, syscall, follow);
    if (node === undefined) throw errnoError("ENOENT", syscall, path);
    if (node.kind !== "directory") throw errnoError("ENOTDIR", syscall, path);
    return node;
  }

  /** Changes names as one atomic operation, pending until one of the directories is synced. */
  change(...changes: readonly EntryChange[]): void {
    const operation = { order: ++this.#lastOrder, changes };
    for (const { directory, name, node } of changes) {
      const before = directory.live.get(name);
      if (node === undefined) directory.live.delete(name);
      else directory.live.set(name, node);
      if (before !== undefined && before.kind !== "directory") before.links--;
      if (node !== undefined && node.kind !== "directory") node.links++;
      directory.mtimeMs = this.tick();
      if (!directory.pending.includes(operation)) directory.pending.push(operation);
    }
  }

  /** A new file or directory takes one of the nodes that the disk has. */
  takeNode(syscall: string, path: string): void {
    if (this.#nodes >= this.limits.maxNodes) throw errnoError("ENOSPC", syscall, path);
    this.#nodes++;
  }

  /** Gives back a node, and a file's space, once no name and no handle leads to it. */
  releaseIfGone(node: DiskNode | undefined): void {
    if (node === undefined) return;
    if (node.kind === "file") {
      if (node.links > 0 || node.opens > 0) return;
      this.usedBytes -= node.live.length;
    } else if (node.kind === "symlink" && node.links > 0) return;
    this.#nodes--;
  }

  /** How many of `wanted` more bytes fit. */
  room(wanted: number): number {
    return Math.max(0, Math.min(wanted, this.limits.maxBytes - this.usedBytes));
  }

  /** Puts a symbolic link on the disk, durable at once: for tests of planted links. */
  plantSymlink(path: string, target: string): void {
    const { parent, name, node } = this.locate(path, "symlink");
    if (node !== undefined) throw errnoError("EEXIST", "symlink", path);
    const link: SymlinkNode = {
      kind: "symlink",
      ino: this.nextIno(),
      mode: 0o777,
      target,
      links: 0,
      mtimeMs: this.tick(),
    };
    this.takeNode("symlink", path);
    this.change({ directory: parent, name, node: link });
    parent.flush();
  }

  /** Rebuilding from an image goes by these, not by operations. */
  adopt(lastIno: number, nodes: number, usedBytes: number): void {
    this.#lastIno = lastIno;
    this.#nodes = nodes;
    this.usedBytes = usedBytes;
  }
}
