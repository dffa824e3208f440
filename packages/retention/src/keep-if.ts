import type { CheckpointHeader } from "@ckpt/core";
import { invalidArgument } from "./errors.js";
import { keepPolicy, type ReasonCode, type RetentionPolicy } from "./policy.js";
import { quoted } from "./printable.js";
import { endsStep } from "./steps.js";

/**
 * Keeps each checkpoint whose header satisfies `predicate`: a rule of one's own, for example over metadata.
 *
 * @param code stands in the plan as the reason; lower case with dashes by custom.
 * @param predicate must be pure: it may be called more than once per header.
 */
export function keepIf(code: ReasonCode, predicate: (header: CheckpointHeader) => boolean): RetentionPolicy {
  if (code.length === 0) throw invalidArgument("keepIf needs a code.", 'For example "tagged-release".');
  const message = `It satisfies the rule ${quoted(code)}.`;
  return keepPolicy(function* ({ entries }, keep) {
    for (let i = 0; i < entries.length; i++) {
      if (endsStep(i)) yield;
      const entry = entries[i]!;
      if (predicate(entry.header)) keep(entry, { code, message });
    }
  });
}
