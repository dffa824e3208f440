import type { Scenario } from "../scenario.js";
import { awkward } from "./awkward.js";
import { growth, pruning } from "./growth.js";
import { install } from "./install.js";
import { bigState, eventLoop, openMany, turnsMemory } from "./process-tasks.js";
import { restore } from "./restore.js";
import { agents64, single2k, single64k } from "./save-rate.js";
import { slowDisk } from "./slow-disk.js";
import { thousandTurnsScenario } from "./thousand-turns.js";

export const scenarios: readonly Scenario[] = [
  single2k,
  single64k,
  agents64,
  thousandTurnsScenario,
  turnsMemory,
  restore,
  openMany,
  bigState,
  pruning,
  growth,
  awkward,
  eventLoop,
  slowDisk,
  install,
];
