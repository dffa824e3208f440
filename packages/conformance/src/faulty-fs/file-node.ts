import { GrowingBytes } from "./growing-bytes.js";

/** A change of a file that is in the page cache and not on the disk. */
export type FileChange = FileWrite | { readonly kind: "truncate"; readonly length: number };

export interface FileWrite {
  readonly kind: "write";
  readonly position: number;
  readonly bytes: Uint8Array;
}

/** The part of a write outside of [start, end): what is left of it once that range was overwritten or cut. */
function outside(change: FileChange, start: number, end: number): FileChange[] {
  if (change.kind === "truncate") return [change];
  const { position, bytes } = change;
  if (position + bytes.length <= start || position >= end) return [change];
  const rest: FileChange[] = [];
  if (position < start) rest.push({ kind: "write", position, bytes: bytes.subarray(0, start - position) });
  if (position + bytes.length > end)
    rest.push({ kind: "write", position: end, bytes: bytes.subarray(end - position) });
  return rest;
}

/**
 * A file: what processes see (`live`), what the platters hold (`durable`), and the changes in between, oldest first.
 * A write that is synced is moved from `pending` to `durable`; what is pending at a power cut may be lost, whole or in part.
 */
export class FileNode {
  readonly kind = "file";
  readonly ino: number;
  readonly mode: number;
  readonly live: GrowingBytes;
  readonly durable: GrowingBytes;
  pending: FileChange[] = [];
  /** Names that processes see. */
  links = 0;
  /** Open handles. */
  opens = 0;
  mtimeMs = 0;
  /** Raised by every change of `durable` or `pending`. */
  version = 0;

  constructor(ino: number, mode: number, bytes?: Uint8Array) {
    this.ino = ino;
    this.mode = mode;
    this.live = new GrowingBytes(bytes);
    this.durable = new GrowingBytes(bytes);
  }

  /** @param bytes must not change any more. */
  write(position: number, bytes: Uint8Array): FileWrite {
    const change: FileWrite = { kind: "write", position, bytes };
    this.live.write(position, bytes);
    this.pending.push(change);
    this.version++;
    return change;
  }

  truncate(length: number): void {
    this.live.truncate(length);
    this.pending.push({ kind: "truncate", length });
    this.version++;
  }

  /** fsync, fdatasync: everything pending is on the disk. */
  flush(): void {
    for (const change of this.pending) this.#apply(change);
    this.pending = [];
    this.version++;
  }

  /**
   * The end of an O_DSYNC write: its own bytes are on the disk, with the size that reading them needs. Metadata goes to the disk in order,
   * so earlier truncations are there too; other pending writes are not.
   */
  flushWrite(change: FileWrite): void {
    const { position, bytes } = change;
    let earlier: FileChange[] = [];
    for (const other of this.pending) {
      if (other === change) continue;
      if (other.kind === "truncate") {
        this.durable.truncate(other.length);
        earlier = earlier.flatMap((old) => outside(old, other.length, Number.POSITIVE_INFINITY));
      } else {
        earlier.push(...outside(other, position, position + bytes.length));
      }
    }
    this.pending = earlier;
    this.#apply(change);
    this.version++;
  }

  /** A failed sync that counts the pages as clean: they are never written any more. */
  forgetPending(): void {
    this.pending = [];
    this.version++;
  }

  #apply(change: FileChange): void {
    if (change.kind === "write") this.durable.write(change.position, change.bytes);
    else this.durable.truncate(change.length);
  }
}
