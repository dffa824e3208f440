import { describe } from "vitest";
import type { ManagerUnderTest } from "./bench.js";
import { capture } from "./capture.js";
import { events } from "./events.js";
import { exchange } from "./exchange.js";
import { lookups } from "./lookups.js";
import { order } from "./order.js";
import { refusals } from "./refusals.js";
import { reopening } from "./reopening.js";
import { thinning } from "./thinning.js";
import { versions } from "./versions.js";

/** What every manager must do, whatever its store. */
export function describeManager(name: string, subject: ManagerUnderTest): void {
  describe(name, () => {
    lookups(subject);
    capture(subject);
    order(subject);
    thinning(subject);
    events(subject);
    versions(subject);
    exchange(subject);
    refusals(subject);
    reopening(subject);
  });
}
