import { TAG } from "../node.js";
import type { CodecRegistry } from "../state/class-codec.js";
import { setOwn, unescapeKey } from "../state/key-escape.js";
import type { ResolvedLimits } from "../state/limits.js";
import { toValue } from "../state/to-value.js";
import { ArrayBranch, ObjectBranch, type Slot } from "./branch.js";
import { Closing } from "./close.js";
import { parseJson } from "./parser.js";
import { RunChild, TextPart, wrongList } from "./part.js";

/**
 * A fresh, mutable value straight from the private tree. A text without tags, as most are, is its own value once parsed: it
 * need not be frozen and copied.
 */
export class BranchValue {
  private run: TextPart | undefined;
  private members: readonly unknown[] = [];

  constructor(
    private readonly codecs: CodecRegistry,
    private readonly limits: ResolvedLimits,
  ) {}

  of(slot: Slot): unknown {
    if (slot instanceof TextPart) return this.ofText(slot);
    if (slot instanceof RunChild) return this.ofMember(slot);
    if (slot instanceof ArrayBranch) {
      const array: unknown[] = [];
      for (let i = 0; i < slot.items.length; i++) array.push(this.of(slot.items[i]!));
      return array;
    }
    if (!(slot instanceof ObjectBranch)) return toValue(slot, this.codecs);
    if (slot.entries.has(TAG)) return toValue(new Closing(this.limits).node(slot, 0), this.codecs);
    const object = {};
    for (const [key, child] of slot.entries) setOwn(object, unescapeKey(key), this.of(child));
    return object;
  }

  private ofText(part: TextPart): unknown {
    const { text } = part;
    return text === undefined || text.includes(TAG)
      ? toValue(part.node, this.codecs)
      : parseJson(text, "piece");
  }

  /** The members of a run stand side by side as a rule: one parsing serves them all. Each of them is handed out once. */
  private ofMember({ run, index }: RunChild): unknown {
    if (run !== this.run) {
      const members = this.ofText(run);
      if (!Array.isArray(members)) throw wrongList();
      this.run = run;
      this.members = members;
    }
    if (index >= this.members.length) throw wrongList();
    return this.members[index];
  }
}
