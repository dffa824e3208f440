import { errnoError, type FileHandle, type FileStat, type FileSystem } from "@ckpt/io";

/** A file in memory, for tests that need thousands of logs. Copies what is written, like a disk. */
export class MemoryFile implements FileHandle {
  readonly path = "/memory";
  bytes: Buffer;
  /** The most bytes that the next write takes; default all. */
  shortWrite: () => number = () => Number.POSITIVE_INFINITY;
  writes = 0;

  constructor(bytes: Uint8Array = new Uint8Array(0)) {
    this.bytes = Buffer.from(bytes);
  }

  async read(buffer: Uint8Array, offset: number, length: number, position: number): Promise<number> {
    if (position >= this.bytes.length) return 0;
    return this.bytes.copy(buffer, offset, position, position + length);
  }

  async write(buffers: readonly Uint8Array[], position: number): Promise<number> {
    this.writes++;
    await new Promise((resolve) => setImmediate(resolve));
    const all = Buffer.concat(buffers);
    const data = all.subarray(0, Math.max(1, Math.min(all.length, this.shortWrite())));
    const end = position + data.length;
    if (end > this.bytes.length) this.bytes = Buffer.concat([this.bytes], end);
    data.copy(this.bytes, position);
    return data.length;
  }

  async truncate(length: number): Promise<void> {
    this.bytes = Buffer.concat([this.bytes], length);
  }

  async stat(): Promise<FileStat> {
    return { kind: "file", size: this.bytes.length, mode: 0o600, mtimeMs: 0, dev: 1, ino: 1 };
  }

  async sync(): Promise<void> {}
  async datasync(): Promise<void> {}
  async close(): Promise<void> {}

  async tryLock(): Promise<"unsupported"> {
    return "unsupported";
  }

  /** A file system with this file and nothing else. */
  asFileSystem(): FileSystem {
    const missing = async (path: string): Promise<never> => {
      throw errnoError("ENOSYS", "call", path, "only open is there");
    };
    return {
      open: async () => this,
      syncDirectory: async () => undefined,
      stat: missing,
      readdir: missing,
      mkdir: missing,
      rename: missing,
      link: missing,
      unlink: missing,
      rmdir: missing,
      realpath: missing,
      freeBytes: missing,
    };
  }
}
