import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A small file system of its own; undefined, with the reason, where none can be mounted. */
export class SmallDisk {
  static readonly #mounted = new Set<SmallDisk>();

  private constructor(readonly path: string) {}

  static mount(options: {
    readonly sizeKib: number;
    readonly inodes?: number;
  }): SmallDisk | { readonly unavailable: string } {
    if (process.platform !== "linux") return { unavailable: "mounting a tmpfs needs Linux" };
    if (process.getuid?.() !== 0) return { unavailable: "mounting a tmpfs needs root" };
    const path = mkdtempSync(join(tmpdir(), "ckpt-small-disk-"));
    const mode = `size=${options.sizeKib}k${options.inodes === undefined ? "" : `,nr_inodes=${options.inodes}`}`;
    const { status, stderr } = spawnSync("mount", ["-t", "tmpfs", "-o", mode, "tmpfs", path], {
      encoding: "utf8",
    });
    if (status === 0) {
      const disk = new SmallDisk(path);
      SmallDisk.#mounted.add(disk);
      return disk;
    }
    rmSync(path, { recursive: true, force: true });
    return { unavailable: `mount failed: ${stderr.trim()}` };
  }

  /** Makes room (or takes it away) while the disk is in use. */
  resize(options: string): void {
    const { status, stderr } = spawnSync("mount", ["-o", `remount,${options}`, this.path], {
      encoding: "utf8",
    });
    if (status !== 0) throw new Error(`remount failed: ${stderr.trim()}`);
  }

  /** Takes down every disk that is still there. */
  static unmountAll(): void {
    for (const disk of SmallDisk.#mounted) disk.unmount();
  }

  unmount(): void {
    SmallDisk.#mounted.delete(this);
    spawnSync("umount", ["-l", this.path]);
    rmSync(this.path, { recursive: true, force: true });
  }
}
