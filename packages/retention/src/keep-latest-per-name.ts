import { keepLast } from "./keep-last.js";
import type { RetentionPolicy } from "./policy.js";
import { perName } from "./scope.js";

/** Keeps the newest checkpoint of every name: `perName(keepLast(1))`. */
export function keepLatestPerName(): RetentionPolicy {
  return perName(keepLast(1));
}
