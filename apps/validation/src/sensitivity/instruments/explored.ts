/** The explorers of the conformance package as instruments: power cuts, failed syncs, faults, races. */
import {
  type Breach,
  exploreCuts,
  exploreFailedSyncs,
  exploreFaults,
  exploreRaces,
  WORKLOADS,
  type Workload,
} from "@ckpt/conformance/explore";
import { findingsOf, type Instrument, put, type Verdict } from "../bench.js";

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

/** Saves of six agents at once: all but the first go out in one write, of which any part may survive. */
const together: Workload = async ({ open, attempt }) => {
  const store = await open();
  const agents = ["a", "b", "c", "d", "e", "f"];
  for (const agentId of agents) await attempt(() => store.acquire(agentId));
  for (let n = 1; n <= 3; n++)
    await Promise.all(agents.map((agentId) => attempt(() => store.commit([put(agentId, n)]))));
};

export const cutsTogether: Instrument = async ({ open }) =>
  first(
    (await exploreCuts({ ...ENOUGH, workload: together, open, every: 1, outcomes: 6, check: findingsOf }))
      .breaches,
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
  first((await exploreRaces({ ...ENOUGH, open, runs: 100, lives: 16 })).breaches);
