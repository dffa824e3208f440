import type { StateNode } from "../node.js";
import { DIGEST_BYTES, type Digest, digest } from "./digest.js";
import { childrenOf, runEnd, standsAlone } from "./grouping.js";
import { type KnownGroup, metaOf, type NodeMeta } from "./node-meta.js";

/** One group: `u32 count, hash`. */
const GROUP_BYTES = 4 + DIGEST_BYTES;

/** Room is made for so many groups at first. */
const EXPECTED_GROUPS = 2_048;

/** The bytes that a large container's hash is taken over, as they grow. */
export class GroupList {
  private bytes: Buffer;
  private length = 5;
  private start = 5;

  constructor(kind: number, count: number) {
    this.bytes = Buffer.allocUnsafe(5 + DIGEST_BYTES + GROUP_BYTES * Math.min(count, EXPECTED_GROUPS));
    this.bytes[0] = kind;
    this.bytes.writeUInt32LE(count, 1);
  }

  addKeys(hash: Digest): void {
    this.length += this.bytes.write(hash, this.length, "latin1");
    this.start = this.length;
  }

  add(count: number, hash: Digest): void {
    this.reserve(GROUP_BYTES);
    this.bytes.writeUInt32LE(count, this.length);
    this.bytes.write(hash, this.length + 4, "latin1");
    this.length += GROUP_BYTES;
  }

  addBytes(groups: Uint8Array): void {
    this.reserve(groups.length);
    this.bytes.set(groups, this.length);
    this.length += groups.length;
  }

  private reserve(count: number): void {
    if (this.length + count <= this.bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(this.bytes.length * 2, this.length + count));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
  }

  digest(): Digest {
    return digest(this.bytes.subarray(0, this.length));
  }

  /** The groups alone, for the next version. */
  groups(): Buffer {
    return this.bytes.subarray(this.start, this.length);
  }
}

/** Somewhere to take groups from instead of hashing them. */
interface GroupSource {
  /** Adds the group that begins at child `index`, when it is known. Returns how many children it covers, or 0. */
  copyGroup(index: number, into: GroupList): number;
  /** The hash was taken; what served is let go. */
  release(): void;
}

/**
 * The groups of a container's former version, handed on where the same children still make the same group: before the
 * first difference, after the last one as soon as the boundaries coincide, and between where nothing moved.
 */
export class FormerGroups implements GroupSource {
  private offset = 0;
  private start = 0;

  private constructor(
    private readonly meta: NodeMeta,
    private readonly groups: Buffer,
    private readonly old: readonly StateNode[],
    private readonly children: readonly StateNode[],
    private readonly prefix: number,
  ) {}

  static of(meta: NodeMeta, children: readonly StateNode[]): FormerGroups | undefined {
    if (meta.former === undefined) return undefined;
    const formerMeta = metaOf(meta.former);
    if (formerMeta.groups === undefined) return undefined;
    const old = childrenOf(meta.former);
    const limit = Math.min(old.length, children.length);
    let prefix = 0;
    while (prefix < limit && old[prefix] === children[prefix]) prefix++;
    return new FormerGroups(meta, formerMeta.groups, old, children, prefix);
  }

  copyGroup(index: number, into: GroupList): number {
    const { old, children, groups } = this;
    if (index === 0) {
      const copied = this.copyPrefix(into);
      if (copied > 0) return copied;
    }
    const at = index < this.prefix ? index : index - (children.length - old.length);
    if (at < 0 || !this.seek(at)) return 0;
    const count = groups.readUInt32LE(this.offset);
    for (let k = 0; k < count; k++) if (children[index + k] !== old[at + k]) return 0;
    if (!this.closes(index + count, at + count, count)) return 0;
    into.addBytes(groups.subarray(this.offset, this.offset + GROUP_BYTES));
    return count;
  }

  /** All groups at once that end, with the child after them, before the first difference. */
  private copyPrefix(into: GroupList): number {
    const { groups, prefix } = this;
    let covered = 0;
    let offset = 0;
    while (offset < groups.length) {
      const count = groups.readUInt32LE(offset);
      if (covered + count >= prefix) break;
      covered += count;
      offset += GROUP_BYTES;
    }
    into.addBytes(groups.subarray(0, offset));
    // What is sought next begins here, or close behind.
    this.start = covered;
    this.offset = offset;
    return covered;
  }

  /** Finds the old group that begins at old child `at`. */
  private seek(at: number): boolean {
    if (this.start > at) {
      this.start = 0;
      this.offset = 0;
    }
    while (this.start < at && this.offset < this.groups.length) {
      this.start += this.groups.readUInt32LE(this.offset);
      this.offset += GROUP_BYTES;
    }
    return this.start === at && this.offset < this.groups.length;
  }

  /** Whether the group ends here too: what follows may have ended it. */
  private closes(next: number, oldNext: number, count: number): boolean {
    const { old, children } = this;
    if (next === children.length)
      return oldNext === old.length || (count === 1 && standsAlone(children[next - 1]!));
    if (oldNext < old.length && children[next] === old[oldNext]) return true;
    return standsAlone(children[next]!) || (count === 1 && standsAlone(children[next - 1]!));
  }

  /** The former version's hash is known, so its groups have served. */
  release(): void {
    if (this.meta.former !== undefined) metaOf(this.meta.former).groups = undefined;
  }
}

/** Groups whose hashes came with the record that the container was read from. */
export class KnownGroups implements GroupSource {
  private next = 0;

  private constructor(
    private readonly meta: NodeMeta,
    private readonly known: readonly KnownGroup[],
    private readonly children: readonly StateNode[],
  ) {}

  static of(meta: NodeMeta, children: readonly StateNode[]): KnownGroups | undefined {
    return meta.known === undefined ? undefined : new KnownGroups(meta, meta.known, children);
  }

  /** Adds the known group at child `index`, if it is still a whole group. Returns how many children it covers, or 0. */
  copyGroup(index: number, into: GroupList): number {
    const { known, children } = this;
    while (this.next < known.length && known[this.next]!.start < index) this.next++;
    const group = known[this.next];
    if (group === undefined || group.start !== index) return 0;
    const isWhole = standsAlone(children[index]!)
      ? group.count === 1
      : runEnd(children, index) === index + group.count;
    if (!isWhole) return 0;
    into.add(group.count, group.digest);
    return group.count;
  }

  release(): void {
    this.meta.known = undefined;
  }
}
