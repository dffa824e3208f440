import { keepPolicy, type RetentionPolicy } from "./policy.js";

/**
 * Keeps a checkpoint until the operation that it was made for is done: as long as an open guard stands on it. Where no
 * guard ever did (a `pre_operation` checkpoint made by hand), nothing says when the operation ends: the newest such
 * checkpoint of each name is kept, until the next one of that name follows or `context.releasedIds` has it.
 */
export function keepUntilReleased(): RetentionPolicy {
  return keepPolicy(({ entries, guardBaseIds, releasedIds }, keep) => {
    const seen = new Set<string>();
    for (let i = entries.length - 1; i >= 0; i--) {
      const entry = entries[i]!;
      const { id, name } = entry.header;
      if (guardBaseIds.has(id)) {
        keep(entry, { code: "keep-until-released", message: "Its operation is not done." });
      } else if (!seen.has(name) && !releasedIds.has(id)) {
        keep(entry, {
          code: "keep-until-released",
          message: `It is the newest ${JSON.stringify(name)}, and nothing says that its operation is done.`,
        });
      }
      seen.add(name);
    }
  });
}
