import { emptyPolicy, requirePolicy } from "./errors.js";
import type { RetentionPolicy } from "./policy.js";

/**
 * All rules of the given policies in one: kept is what any keep rule selects; then all caps apply, in the order given.
 *
 * @throws CKPT_EMPTY_POLICY when nothing is given; CKPT_INVALID_ARGUMENT for what is no policy.
 */
export function anyOf(...policies: readonly RetentionPolicy[]): RetentionPolicy {
  for (const policy of policies) requirePolicy(policy, "anyOf");
  const keeps = policies.flatMap((policy) => policy.keeps);
  const caps = policies.flatMap((policy) => policy.caps);
  if (keeps.length + caps.length === 0) throw emptyPolicy("anyOf()");
  return { keeps, caps };
}
