import { type StateNode, TAG } from "../node.js";
import { tooDeep } from "../state/adopt.js";
import type { CodecRegistry } from "../state/class-codec.js";
import { setOwn, unescapeKey } from "../state/key-escape.js";
import type { ResolvedLimits } from "../state/limits.js";
import { toValue } from "../state/to-value.js";
import { ArrayBranch, ObjectBranch, type Slot } from "./branch.js";
import { Closing } from "./close.js";
import { nestsDeeper } from "./nesting.js";
import { parseJson } from "./parser.js";
import { RunChild, TextPart, wrongList } from "./part.js";

/**
 * A fresh, mutable value straight from the private tree. A text without tags, as most are, is its own value once parsed: it
 * need not be frozen and copied. Throws `CKPT_LIMIT` for what is nested deeper than the limits allow.
 */
export class BranchValue {
  private run: TextPart | undefined;
  private members: readonly unknown[] = [];
  private last = -1;
  /** Runs that the tree left before their last member. */
  private readonly left = new Map<TextPart, readonly unknown[]>();

  constructor(
    private readonly codecs: CodecRegistry,
    private readonly limits: ResolvedLimits,
  ) {}

  /** `depth` containers stand above the slot. */
  of(slot: Slot, depth: number): unknown {
    if (slot instanceof TextPart) return this.ofText(slot, depth);
    if (slot instanceof RunChild) return this.ofMember(slot, depth);
    if (!(slot instanceof ArrayBranch) && !(slot instanceof ObjectBranch)) return this.ofNode(slot, depth);
    if (depth >= this.limits.maxDepth) throw tooDeep(this.limits);
    if (slot instanceof ArrayBranch) {
      const array: unknown[] = [];
      for (let i = 0; i < slot.items.length; i++) array.push(this.of(slot.items[i]!, depth + 1));
      return array;
    }
    if (slot.entries.has(TAG)) return toValue(new Closing(this.limits).node(slot, depth), this.codecs);
    const object = {};
    for (const [key, child] of slot.entries) setOwn(object, unescapeKey(key), this.of(child, depth + 1));
    return object;
  }

  private ofNode(node: StateNode, depth: number): unknown {
    return toValue(new Closing(this.limits).node(node, depth), this.codecs);
  }

  private ofText(part: TextPart, depth: number): unknown {
    const { text } = part;
    if (text === undefined) return this.ofNode(part.node, depth);
    if (nestsDeeper(text, this.limits.maxDepth - depth)) throw tooDeep(this.limits);
    return text.includes(TAG) ? toValue(part.node, this.codecs) : parseJson(text, "piece");
  }

  /**
   * The members of a run stand side by side as a rule: one parsing serves them all, and the run is done with its last. Where runs
   * lie mixed, each is kept. A member is handed out once.
   */
  private ofMember({ run, index }: RunChild, depth: number): unknown {
    if (run !== this.run) {
      if (this.run !== undefined && this.last < this.members.length - 1)
        this.left.set(this.run, this.members);
      this.members = this.left.get(run) ?? this.parsed(run, depth);
      this.run = run;
    }
    if (index >= this.members.length) throw wrongList();
    this.last = index;
    return this.members[index];
  }

  private parsed(run: TextPart, depth: number): readonly unknown[] {
    // The list around the members is none of the state's containers.
    const members = this.ofText(run, depth - 1);
    if (!Array.isArray(members)) throw wrongList();
    return members;
  }
}
