import { posix } from "node:path";
import { DirectoryNode } from "./directory-node.js";
import { type Disk, requireNoNul } from "./disk.js";
import { errnoError } from "./errno.js";

function contains(directory: DirectoryNode, wanted: DirectoryNode): boolean {
  if (directory === wanted) return true;
  for (const node of directory.live.values()) {
    if (node instanceof DirectoryNode && contains(node, wanted)) return true;
  }
  return false;
}

/** rename(2), with Linux's order of checks. */
export function renameOn(disk: Disk, from: string, to: string): void {
  for (const path of [from, to]) requireNoNul(path);
  for (const path of [from, to]) disk.directory(posix.dirname(path), "rename");
  const fail = (errno: string) => errnoError(errno, "rename", from);
  const source = disk.locate(from, "rename");
  const { node } = source;
  if (node === undefined) throw fail("ENOENT");
  const target = disk.locate(to, "rename");
  if (node === disk.root || target.node === disk.root) throw fail("EBUSY");
  const over = target.node;
  if (node.kind === "directory" && source.parent !== target.parent && contains(node, target.parent))
    throw fail("EINVAL");
  if (over?.kind === "directory" && source.parent !== target.parent && contains(over, source.parent)) {
    throw fail("ENOTEMPTY");
  }
  if (over === node) return;
  if (over !== undefined) {
    if (node.kind === "directory" && over.kind !== "directory") throw fail("ENOTDIR");
    if (node.kind !== "directory" && over.kind === "directory") throw fail("EISDIR");
    if (over.kind === "directory" && over.live.size > 0) throw fail("ENOTEMPTY");
  }
  disk.change(
    { directory: source.parent, name: source.name, node: undefined },
    { directory: target.parent, name: target.name, node },
  );
  disk.releaseIfGone(over);
}
