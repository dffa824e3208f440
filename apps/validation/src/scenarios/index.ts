import type { Scenario } from "../scenario.js";
import { damage } from "./damage.js";
import { fullDisk } from "./full-disk.js";
import { killLoop } from "./kill-loop.js";
import { writersAndReaders } from "./writers-and-readers.js";

export const scenarios: readonly Scenario[] = [killLoop, fullDisk, writersAndReaders, damage];
