import { bigRestoreJson, bigRestoreOurs, bigSaveFile, bigSaveOurs } from "./big-state.js";
import { longestBlock } from "./event-loop.js";
import { saveOn } from "./growth.js";
import { fillMany, openMany } from "./many.js";
import { peakOfTurns, restoreJson, restoreOurs, writeHistory } from "./restore.js";

/** Every task takes one JSON argument and gives one JSON result. */
export const tasks: Readonly<Record<string, (argument: never) => Promise<unknown>>> = {
  bigRestoreJson,
  bigRestoreOurs,
  bigSaveFile,
  bigSaveOurs,
  fillMany,
  longestBlock,
  openMany,
  peakOfTurns,
  restoreJson,
  restoreOurs,
  saveOn,
  writeHistory,
};
