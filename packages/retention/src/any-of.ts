import { emptyPolicy } from "./errors.js";
import type { RetentionPolicy } from "./policy.js";

/**
 * All rules of the given policies in one: kept is what any keep rule selects; then all caps apply, in the order given.
 *
 * @throws CKPT_EMPTY_POLICY when nothing is given.
 */
export function anyOf(...policies: readonly RetentionPolicy[]): RetentionPolicy {
  const keeps = policies.flatMap((policy) => policy.keeps);
  const caps = policies.flatMap((policy) => policy.caps);
  if (keeps.length + caps.length === 0) throw emptyPolicy("anyOf()");
  return { keeps, caps };
}
