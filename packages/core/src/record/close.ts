import { BinaryLeaf, type StateNode, type StateObject, TAG } from "../node.js";
import { bound, checkTagged, tooDeep } from "../state/adopt.js";
import { corrupt } from "../state/corrupt.js";
import { setOwn } from "../state/key-escape.js";
import type { ResolvedLimits } from "../state/limits.js";
import {
  heightOf,
  isContainer,
  isLarge,
  type KnownGroup,
  keyWeight,
  remember,
  Tally,
} from "../state/node-meta.js";
import { ArrayBranch, isUnread, ObjectBranch, type Slot } from "./branch.js";

/** Turns the private tree into a frozen one: checks what deltas may have broken, measures, and passes known hashes on. */
export class Closing {
  constructor(private readonly limits: ResolvedLimits) {}

  node(slot: Slot, depth: number): StateNode {
    if (slot instanceof ArrayBranch) return this.array(slot, depth);
    if (slot instanceof ObjectBranch) return this.object(slot, depth);
    const node = isUnread(slot) ? slot.node : slot;
    if (isContainer(node) && !(node instanceof BinaryLeaf)) {
      if (depth + heightOf(node) > this.limits.maxDepth) throw tooDeep(this.limits);
    }
    return node;
  }

  private array({ items, hints }: ArrayBranch, depth: number): StateNode {
    if (depth >= this.limits.maxDepth) throw tooDeep(this.limits);
    const node: StateNode[] = [];
    const tally = new Tally();
    for (let i = 0; i < items.length; i++) {
      const child = this.node(items[i]!, depth + 1);
      if (child instanceof BinaryLeaf) throw strayLeaf();
      node.push(child);
      tally.add(child, 1);
    }
    return this.settle(node, tally, hints);
  }

  private object({ entries, hints }: ObjectBranch, depth: number): StateNode {
    if (depth >= this.limits.maxDepth) throw tooDeep(this.limits);
    const node: Record<string, StateNode> = {};
    const tally = new Tally();
    let hasLeaf = false;
    for (const [key, slot] of entries) {
      const child = this.node(slot, depth + 1);
      if (child instanceof BinaryLeaf) hasLeaf = true;
      setOwn(node, key, child);
      tally.add(child, keyWeight(key));
    }
    const keys = Object.keys(node);
    if (Object.hasOwn(node, TAG)) checkTagged(node as StateObject, keys);
    else if (hasLeaf) throw strayLeaf();
    return this.settle(node, tally, positions(keys, hints));
  }

  private settle<T extends StateNode & object>(node: T, tally: Tally, hints: readonly KnownGroup[]): T {
    const meta = tally.meta();
    bound(meta, this.limits);
    if (hints.length > 0) meta.known = hints;
    Object.freeze(node);
    if (isLarge(meta)) remember(node, meta);
    return node;
  }
}

export const strayLeaf = (): Error => corrupt("Binary stands in a stored state without its tag.");

/** An object's hints by position, as the hash wants them. */
export function positions(keys: readonly string[], hints: ReadonlyMap<string, KnownGroup>): KnownGroup[] {
  const result: KnownGroup[] = [];
  if (hints.size === 0) return result;
  for (let i = 0; i < keys.length; i++) {
    const hint = hints.get(keys[i]!);
    if (hint !== undefined) result.push({ ...hint, start: i });
  }
  return result;
}
