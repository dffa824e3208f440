import type { Scenario } from "../scenario.js";
import { killLoop } from "./kill-loop.js";

export const scenarios: readonly Scenario[] = [killLoop];
