import { BinaryLeaf, type StateNode } from "../node.js";
import { type Digest, digest } from "../state/digest.js";
import { standsAlone } from "../state/grouping.js";
import { GroupList } from "../state/hash-groups.js";
import type { ResolvedLimits } from "../state/limits.js";
import { hashOf, LARGE_ARRAY, LARGE_OBJECT } from "../state/merkle.js";
import {
  HEAVY_WEIGHT,
  type KnownGroup,
  keyWeight,
  LARGE_WEIGHT,
  RUN_WEIGHT,
  weightOf,
} from "../state/node-meta.js";
import { ArrayBranch, isUnread, ObjectBranch, type Slot } from "./branch.js";
import { Closing, positions, strayLeaf } from "./close.js";
import { RunChild, TextPart } from "./part.js";

/** JSON text is at most so many times as long as its node weighs: an escaped character takes six for one. */
const TEXT_PER_WEIGHT = 6;

/**
 * The state's hash, from the private tree: over the hashes of its texts as stored, which need not be parsed for it. What is not surely
 * large by the length of its texts is finished and measured first.
 */
export class BranchHash {
  constructor(private readonly limits: ResolvedLimits) {}

  /** The hash of the root; checks on the way that binary stands only where its tag is. */
  root(slot: Slot): Digest {
    if (slot instanceof BinaryLeaf) throw strayLeaf();
    return this.hash(slot);
  }

  private hash(slot: Slot): Digest {
    if (slot instanceof TextPart) return slot.digest ?? hashOf(slot.node);
    if (slot instanceof RunChild) return hashOf(slot.node);
    if (!isBranch(slot)) return hashOf(slot);
    if (!weighsOver(slot, LARGE_WEIGHT)) return hashOf(new Closing(this.limits).node(slot, 0));
    return slot instanceof ArrayBranch
      ? this.large(LARGE_ARRAY, slot.items, slot.hints, undefined)
      : this.large(
          LARGE_OBJECT,
          [...slot.entries.values()],
          positions([...slot.entries.keys()], slot.hints),
          slot,
        );
  }

  private large(
    kind: number,
    slots: readonly Slot[],
    hints: readonly KnownGroup[],
    object: ObjectBranch | undefined,
  ): Digest {
    const groups = new GroupList(kind, slots.length);
    if (object !== undefined) groups.addKeys(digest(JSON.stringify([...object.entries.keys()])));
    this.checkLeaves(slots, object);
    let hint = 0;
    for (let i = 0; i < slots.length; ) {
      const slot = slots[i]!;
      if (this.alone(slot)) {
        groups.add(1, this.hash(slot));
        i++;
        continue;
      }
      while (hint < hints.length && hints[hint]!.start < i) hint++;
      const known = hints[hint];
      if (known?.start === i && this.isWhole(slots, known)) {
        groups.add(known.count, known.digest);
        i += known.count;
        continue;
      }
      const end = this.runEnd(slots, i);
      groups.add(end - i, digest(JSON.stringify(slots.slice(i, end).map((child) => this.node(child)))));
      i = end;
    }
    return groups.digest();
  }

  private checkLeaves(slots: readonly Slot[], object: ObjectBranch | undefined): void {
    for (let i = 0; i < slots.length; i++) {
      if (!(slots[i] instanceof BinaryLeaf)) continue;
      if (object === undefined) throw strayLeaf();
      this.node(object);
      return;
    }
  }

  /**
   * Whether a run that was a group when it came is one here. It begins where a group begins, so nothing inside can end it early;
   * it ends if something else must begin after it, or else by its weight.
   */
  private isWhole(slots: readonly Slot[], { start, count }: KnownGroup): boolean {
    const next = slots[start + count];
    return next === undefined || this.alone(next) || this.runEnd(slots, start) === start + count;
  }

  /** Whether a child is hashed alone. Texts that were not looked into came as such. */
  private alone(slot: Slot): boolean {
    if (isUnread(slot)) return slot instanceof TextPart;
    if (isBranch(slot)) return weighsOver(slot, HEAVY_WEIGHT) || standsAlone(this.node(slot));
    return standsAlone(slot);
  }

  private runEnd(slots: readonly Slot[], start: number): number {
    let end = start;
    for (let weight = 0; end < slots.length && weight < RUN_WEIGHT; end++) {
      const slot = slots[end]!;
      if (this.alone(slot)) break;
      weight += weightOf(this.node(slot));
    }
    return end;
  }

  private node(slot: Slot): StateNode {
    return new Closing(this.limits).node(slot, 0);
  }
}

function isBranch(slot: Slot): slot is ArrayBranch | ObjectBranch {
  return slot instanceof ArrayBranch || slot instanceof ObjectBranch;
}

/**
 * Whether a branch surely weighs more than `weight`, or has a binary leaf; false says nothing. Stops as soon as it knows, and what
 * containers weigh by themselves counts: a record could hold any number of empty ones, to be gone through for each level above.
 */
function weighsOver(branch: ArrayBranch | ObjectBranch, weight: number): boolean {
  let rest = weight;
  const visit = (slot: Slot): boolean => {
    if (slot instanceof BinaryLeaf) return true;
    if (slot instanceof TextPart && slot.unparsedBytes > 0) rest -= slot.unparsedBytes / TEXT_PER_WEIGHT;
    else if (slot instanceof ArrayBranch) {
      rest -= 2 + slot.items.length;
      return rest < 0 || slot.items.some(visit);
    } else if (slot instanceof ObjectBranch) {
      rest -= 2 + keyWeight("") * slot.entries.size;
      return rest < 0 || [...slot.entries.values()].some(visit);
    } else if (slot instanceof RunChild) rest -= slot.run.unparsedBytes > 0 ? 1 : weightOf(slot.node);
    else rest -= weightOf(slot instanceof TextPart ? slot.node : slot);
    return rest < 0;
  };
  return visit(branch);
}
