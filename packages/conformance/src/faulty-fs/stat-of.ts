import type { FileStat } from "@ckpt/io";
import type { DiskNode } from "./directory-node.js";

export function statOf(node: DiskNode): FileStat {
  const size =
    node.kind === "file"
      ? node.live.length
      : node.kind === "symlink"
        ? Buffer.byteLength(node.target)
        : 4_096;
  return { kind: node.kind, size, mode: node.mode, mtimeMs: node.mtimeMs, dev: 1, ino: node.ino };
}
