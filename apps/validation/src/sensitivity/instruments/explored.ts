/** The explorers of the conformance package as instruments: power cuts, failed syncs, faults, races. */
import {
  type Breach,
  exploreCuts,
  exploreFailedSyncs,
  exploreFaults,
  exploreRaces,
  WORKLOADS,
} from "@ckpt/conformance/explore";
import { findingsOf, type Instrument, type Verdict } from "../bench.js";

const ENOUGH = { maxBreaches: 1, hangAfterMs: 5_000 };

const first = (breaches: readonly Breach[]): Verdict => {
  const [breach] = breaches;
  return breach && `${breach.kind}: ${breach.message.split("\n")[0]} (${breach.where})`;
};

/** A power cut damages nothing: what it leaves behind may be torn, and is nothing to report. */
export const cuts =
  (name: string, every = 2): Instrument =>
  async ({ open }) =>
    first(
      (
        await exploreCuts({
          ...ENOUGH,
          workload: WORKLOADS[name]!,
          open,
          every,
          outcomes: 2,
          check: findingsOf,
        })
      ).breaches,
    );

export const syncs =
  (name: string): Instrument =>
  async ({ open }) =>
    first(
      (
        await exploreFailedSyncs({
          ...ENOUGH,
          workload: WORKLOADS[name]!,
          open,
          everySync: 2,
          every: 9,
          modes: ["strict"],
        })
      ).breaches,
    );

export const faults =
  (name: string, every: number): Instrument =>
  async ({ open }) =>
    first((await exploreFaults({ ...ENOUGH, workload: WORKLOADS[name]!, open, every })).breaches);

export const races: Instrument = async ({ open }) =>
  first((await exploreRaces({ ...ENOUGH, open, runs: 12 })).breaches);
