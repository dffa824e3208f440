import type { Scenario } from "../scenario.js";
import { damage } from "./damage.js";
import { fullDisk } from "./full-disk.js";
import { hardLimits } from "./hard-limits.js";
import { hostile } from "./hostile.js";
import { killLoop } from "./kill-loop.js";
import { locks } from "./locks.js";
import { places } from "./places.js";
import { sensitivity } from "./sensitivity.js";
import { failedSyncs, faults, powerCuts } from "./simulated.js";
import { upkeep } from "./upkeep.js";
import { writersAndReaders } from "./writers-and-readers.js";

export const scenarios: readonly Scenario[] = [
  powerCuts,
  failedSyncs,
  faults,
  killLoop,
  fullDisk,
  damage,
  writersAndReaders,
  upkeep,
  places,
  locks,
  hardLimits,
  hostile,
  sensitivity,
];
