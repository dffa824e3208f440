import { TAG } from "../node.js";
import type { CodecRegistry } from "../state/class-codec.js";
import { setOwn, unescapeKey } from "../state/key-escape.js";
import type { ResolvedLimits } from "../state/limits.js";
import { toValue } from "../state/to-value.js";
import { ArrayBranch, ObjectBranch, type Slot } from "./branch.js";
import { Closing } from "./close.js";
import { parseJson } from "./parser.js";
import { TextPart } from "./part.js";

/**
 * A fresh, mutable value straight from the private tree. A text without tags, as most are, is its own value once parsed: it
 * need not be frozen and copied.
 */
export function branchValue(slot: Slot, codecs: CodecRegistry, limits: ResolvedLimits): unknown {
  if (slot instanceof TextPart) {
    const text = slot.unparsed;
    return text === undefined || text.includes(TAG) ? toValue(slot.node, codecs) : parseJson(text, "piece");
  }
  if (slot instanceof ArrayBranch) {
    const array: unknown[] = [];
    for (let i = 0; i < slot.items.length; i++) array.push(branchValue(slot.items[i]!, codecs, limits));
    return array;
  }
  if (!(slot instanceof ObjectBranch)) return toValue(slot, codecs);
  if (slot.entries.has(TAG)) return toValue(new Closing(limits).node(slot, 0), codecs);
  const object = {};
  for (const [key, child] of slot.entries) setOwn(object, unescapeKey(key), branchValue(child, codecs, limits));
  return object;
}
