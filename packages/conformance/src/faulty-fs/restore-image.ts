import { DirectoryNode, type DiskNode } from "./directory-node.js";
import { Disk } from "./disk.js";
import type { DiskImage } from "./disk-image.js";
import { FileNode } from "./file-node.js";

/** A disk that holds the durable part of an image, and nothing pending. */
export function restoreImage(image: DiskImage): Disk {
  const disk = new Disk();
  const nodes = new Map<number, DiskNode>([[1, disk.root]]);
  let usedBytes = 0;
  const fill = (directory: DirectoryNode): void => {
    const from = image.nodes.get(directory.ino);
    if (from?.kind !== "directory")
      throw new TypeError(`Node ${directory.ino} of the image is no directory.`);
    for (const [name, ino] of from.durable) {
      let node = nodes.get(ino);
      if (node === undefined) {
        const of = image.nodes.get(ino)!;
        if (of.kind === "file") {
          node = new FileNode(ino, of.mode, of.durable);
          usedBytes += of.durable.length;
        } else if (of.kind === "symlink") node = { ...of, links: 0, mtimeMs: 0 };
        else node = new DirectoryNode(ino, of.mode);
        nodes.set(ino, node);
        if (node instanceof DirectoryNode) fill(node);
      }
      if (node.kind !== "directory") node.links++;
      directory.live.set(name, node);
      directory.durable.set(name, node);
    }
  };
  fill(disk.root);
  disk.limits = image.limits;
  disk.adopt(Math.max(...image.nodes.keys()), nodes.size, usedBytes);
  return disk;
}
