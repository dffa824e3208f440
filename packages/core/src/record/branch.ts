import { BinaryLeaf, type StateNode, type StateObject } from "../node.js";
import type { KnownGroup } from "../state/node-meta.js";
import { RunChild, TextPart } from "./part.js";

/**
 * A part of the private tree: a finished, frozen node; a container that deltas change in place; or what came as text
 * and nobody has looked into yet: a node that stands alone in the hash, or one of a run of light ones.
 */
export type Slot = StateNode | ArrayBranch | ObjectBranch | TextPart | RunChild;

/** An array under construction. `hints` are in order and name groups that still stand. */
export class ArrayBranch {
  constructor(
    public items: Slot[],
    public hints: KnownGroup[],
  ) {}
}

/** An object under construction. A hint is filed under the first key of its group. */
export class ObjectBranch {
  readonly hints = new Map<string, KnownGroup>();
  private runs = false;

  constructor(public entries: Map<string, Slot>) {}

  hint(key: string, hint: KnownGroup): void {
    this.hints.set(key, hint);
    if (hint.count > 1) this.runs = true;
  }

  /** A key's value, or the keys around it, changed: what was known about it, and about any run, is no longer. */
  forget(key: string): void {
    this.hints.delete(key);
    if (!this.runs) return;
    for (const [first, hint] of this.hints) if (hint.count > 1) this.hints.delete(first);
    this.runs = false;
  }
}

/** Whether a slot is text that was not looked into. */
export function isUnread(slot: Slot): slot is TextPart | RunChild {
  return slot instanceof TextPart || slot instanceof RunChild;
}

/** Opens a finished container for change; undefined for what is none. Branches are open already. */
export function openBranch(slot: Slot): ArrayBranch | ObjectBranch | undefined {
  if (slot instanceof ArrayBranch || slot instanceof ObjectBranch) return slot;
  const node = isUnread(slot) ? slot.node : slot;
  if (typeof node !== "object" || node === null || node instanceof BinaryLeaf) return undefined;
  if (Array.isArray(node)) return new ArrayBranch([...node], []);
  const entries = new Map<string, Slot>();
  const object = node as StateObject;
  for (const key of Object.keys(object)) entries.set(key, object[key]!);
  return new ObjectBranch(entries);
}
