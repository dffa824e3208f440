import type { Instrument } from "../bench.js";
import { damagedOthers, damagedSegments, damagedUnhinted, foreign, repair } from "./damage.js";
import { dependents } from "./dependents.js";
import { cuts, cutsTogether, faults, races, syncs } from "./explored.js";
import { failedOnce } from "./failed-once.js";
import { folded } from "./folded.js";
import { givenBack } from "./given-back.js";
import { fullDisk, heads, inFlight, missing, reused } from "./heads.js";
import { knownDamage } from "./known-damage.js";
import { lastHead } from "./last-head.js";
import { lateClaim, lateLink, latePublisher, lateReader } from "./late.js";
import { longTexts } from "./long-texts.js";
import { outOfSight } from "./out-of-sight.js";
import {
  beside,
  compactors,
  contention,
  lyingLock,
  readers,
  takeover,
  takeoverFailing,
} from "./processes.js";
import { rejected } from "./rejected.js";
import { savesBeside } from "./saves-beside.js";
import { streamedRecords } from "./streamed.js";
import { unread } from "./unread.js";
import { voided } from "./voided.js";

export const INSTRUMENTS = {
  "cuts-saves": cuts("saves"),
  "cuts-batches": cuts("batches"),
  "cuts-restarts": cuts("restarts"),
  "cuts-removals": cuts("removals"),
  "cuts-compaction": cuts("compaction", 5),
  "cuts-together": cutsTogether,
  "syncs-saves": syncs("saves"),
  "syncs-batches": syncs("batches"),
  "faults-restarts": faults("restarts", 61),
  rejected,
  voided,
  "given-back": givenBack,
  dependents,
  races,
  contention,
  "late-claim": lateClaim,
  "late-link": lateLink,
  "late-publisher": latePublisher,
  "late-reader": lateReader,
  beside,
  compactors,
  "saves-beside": savesBeside,
  readers,
  takeover,
  "takeover-failing": takeoverFailing,
  "lying-lock": lyingLock,
  "damaged-segments": damagedSegments,
  "damaged-unhinted": damagedUnhinted,
  "damaged-others": damagedOthers,
  "known-damage": knownDamage,
  "failed-once": failedOnce,
  foreign,
  "streamed-records": streamedRecords,
  "long-texts": longTexts,
  folded,
  "last-head": lastHead,
  unread,
  "out-of-sight": outOfSight,
  repair,
  heads,
  reused,
  missing,
  "in-flight": inFlight,
  "full-disk": fullDisk,
} satisfies Readonly<Record<string, Instrument>>;

export type InstrumentName = keyof typeof INSTRUMENTS;
