import type { Mutant } from "../mutant.js";
import { compactionMutants } from "./compaction.js";
import { damageMutants } from "./damage.js";
import { fileSystemMutants } from "./file-system.js";
import { holdingMutants } from "./holding.js";
import { logMutants } from "./log.js";
import { longStateMutants } from "./long-states.js";
import { voidMutants } from "./voids.js";

export const MUTANTS: readonly Mutant[] = [
  ...fileSystemMutants,
  ...logMutants,
  ...damageMutants,
  ...longStateMutants,
  ...voidMutants,
  ...holdingMutants,
  ...compactionMutants,
];
