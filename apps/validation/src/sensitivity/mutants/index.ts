import type { Mutant } from "../mutant.js";
import { compactionMutants } from "./compaction.js";
import { fileSystemMutants } from "./file-system.js";
import { holdingMutants } from "./holding.js";
import { logMutants } from "./log.js";
import { longStateMutants } from "./long-states.js";
import { voidMutants } from "./voids.js";

export const MUTANTS: readonly Mutant[] = [
  ...fileSystemMutants,
  ...logMutants,
  ...longStateMutants,
  ...voidMutants,
  ...holdingMutants,
  ...compactionMutants,
];
