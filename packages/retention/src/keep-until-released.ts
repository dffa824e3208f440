import { keepPolicy, type RetentionPolicy } from "./policy.js";
import { quoted } from "./printable.js";
import { endsStep } from "./steps.js";

/**
 * Keeps a checkpoint until the operation that it was made for is done: as long as an open guard stands on it. Where no
 * guard ever did (a `pre_operation` checkpoint made by hand), nothing says when the operation ends: the newest such
 * checkpoint of each name is kept, until the next one of that name follows or `context.releasedIds` has it.
 */
export function keepUntilReleased(): RetentionPolicy {
  return keepPolicy(function* ({ entries, guardBaseIds, releasedIds, damagedLeftOut }, keep) {
    const newest = damagedLeftOut ? "newest intact" : "newest";
    const seen = new Set<string>();
    for (let back = 0; back < entries.length; back++) {
      if (endsStep(back)) yield;
      const entry = entries[entries.length - 1 - back]!;
      const { id, name } = entry.header;
      if (guardBaseIds.has(id)) {
        keep(entry, { code: "keep-until-released", message: "Its operation is not done." });
      } else if (!seen.has(name) && !releasedIds.has(id)) {
        keep(entry, {
          code: "keep-until-released",
          message: `It is the ${newest} ${quoted(name)}, and nothing says that its operation is done.`,
        });
      }
      seen.add(name);
    }
  });
}
