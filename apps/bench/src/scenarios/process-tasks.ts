import { writeFileAtomic } from "../contestants/key-value.js";
import { percentile } from "../measure.js";
import { type BarResult, bar, type Run, type Scenario, type ScenarioResult } from "../scenario.js";

/** A scenario whose figures come from fresh processes: bars and notes, no rows of contestants. */
function figures(
  name: string,
  title: string,
  measure: (run: Run) => Promise<{ bars: BarResult[]; notes: string[] }>,
): Scenario {
  return {
    name,
    title,
    run: async (run): Promise<ScenarioResult> => ({
      name,
      title,
      unit: "",
      higherIsBetter: false,
      rows: [],
      ...(await measure(run)),
    }),
  };
}

const mb = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;

interface Peak {
  readonly peakBytes: number;
  readonly liveBytes: number;
  readonly stateBytes: number;
  readonly maxRss: number;
}

export const turnsMemory = figures(
  "turns-memory",
  "peak memory of 1,000 kept turns above the live state",
  async (run) => {
    const argument = { directory: await run.directory(), seed: run.seed, turns: run.quick ? 300 : 1000 };
    const peak = await run.child<Peak>("peakOfTurns", argument, ["--expose-gc"]);
    return {
      bars: [
        bar("peak above the live state, against the final state", peak.peakBytes / peak.stateBytes, "≤", 3),
      ],
      notes: [
        `peak ${mb(peak.peakBytes)} above a live state that takes ${mb(peak.liveBytes)} (${mb(peak.stateBytes)} as JSON); resident set at most ${mb(peak.maxRss)}`,
      ],
    };
  },
);

interface Opened {
  readonly ms: number;
  readonly memoryBytes: number;
  readonly step: number;
}

export const openMany = figures(
  "open-100k",
  "open, find and load the latest among 100,000 checkpoints of 100 agents",
  async (run) => {
    const [full, empty] = [await run.directory(), await run.directory()];
    run.progress("open-100k: filling");
    const base = { agents: 100, seed: run.seed };
    await run.child("fillMany", { ...base, directory: full, checkpoints: run.quick ? 10_000 : 100_000 });
    await run.child("fillMany", { ...base, directory: empty, agents: 8, checkpoints: 8 });
    const opened: Record<"full" | "empty", Opened[]> = { full: [], empty: [] };
    for (let round = 0; round < run.rounds; round += 1) {
      opened.full.push(await run.child<Opened>("openMany", { ...base, directory: full }, ["--expose-gc"]));
      opened.empty.push(await run.child<Opened>("openMany", { ...base, directory: empty }, ["--expose-gc"]));
    }
    const median = (of: Opened[], pick: (o: Opened) => number) => percentile(of.map(pick), 0.5);
    const ms = median(opened.full, (o) => o.ms) - median(opened.empty, (o) => o.ms);
    const memory = median(opened.full, (o) => o.memoryBytes) - median(opened.empty, (o) => o.memoryBytes);
    return {
      bars: [
        bar("more time than on an almost empty store", ms, "≤", 60, " ms"),
        bar("more memory", memory / 1e6, "≤", 40, " MB"),
      ],
      notes: [`almost empty store: ${median(opened.empty, (o) => o.ms).toFixed(1)} ms`],
    };
  },
);

interface Big {
  readonly ms: number;
  readonly before: number;
  readonly peak: number;
}

const bigStateFigures = figures(
  "big-state",
  "one state of 256 MB: save, and restore in a fresh process",
  async (run) => {
    const isAtomic = run.contestants.present.includes(writeFileAtomic);
    const rounds = run.quick ? 1 : Math.min(3, run.rounds);
    const results: Record<string, Big[]> = {
      bigSaveOurs: [],
      bigSaveFile: [],
      bigRestoreOurs: [],
      bigRestoreJson: [],
    };
    const messages = run.quick ? 8000 : 32_000;
    const argument = (directory: string) => ({ directory, seed: run.seed, messages, isAtomic });
    for (let round = 0; round < rounds; round += 1) {
      const directory = await run.directory();
      for (const [task, list] of Object.entries(results)) {
        run.progress(`big-state: ${task}`);
        list.push(
          await run.child<Big>(task, argument(directory), ["--expose-gc", "--max-old-space-size=8192"]),
        );
      }
    }
    const median = (task: string, pick: (b: Big) => number) =>
      percentile((results[task] ?? []).map(pick), 0.5);
    const ms = (b: Big) => b.ms;
    const peak = (b: Big) => b.peak;
    return {
      bars: [
        ...(isAtomic
          ? [
              bar(
                "save time against write-file-atomic",
                median("bigSaveOurs", ms) / median("bigSaveFile", ms),
                "≤",
                0.4,
              ),
            ]
          : []),
        bar(
          "save: peak memory against the process before",
          median("bigSaveOurs", (b) => b.peak / b.before),
          "≤",
          1.4,
        ),
        bar(
          "restore time against readFile + JSON.parse",
          median("bigRestoreOurs", ms) / median("bigRestoreJson", ms),
          "≤",
          0.8,
        ),
        bar(
          "restore: peak memory against readFile + JSON.parse",
          median("bigRestoreOurs", peak) / median("bigRestoreJson", peak),
          "≤",
          0.6,
        ),
      ],
      notes: Object.keys(results).map(
        (task) => `${task}: ${median(task, ms).toFixed(0)} ms, peak ${mb(median(task, peak))}`,
      ),
    };
  },
);

export const bigState: Scenario = { ...bigStateFigures, usesPeers: true };

interface Block {
  readonly first: { readonly longestMs: number; readonly totalMs: number };
  readonly steady: number;
}

export const eventLoop = figures(
  "event-loop",
  "longest block of the event loop while a 2 MB state is saved",
  async (run) => {
    const runs: Block[] = [];
    for (let round = 0; round < 5; round += 1)
      runs.push(
        await run.child<Block>("longestBlock", {
          directory: await run.directory(),
          seed: run.seed + round,
          saves: 100,
        }),
      );
    return {
      bars: [
        bar(
          "median of five runs, after 20 warm-up saves",
          percentile(
            runs.map((r) => r.steady),
            0.5,
          ),
          "≤",
          5,
          " ms",
        ),
      ],
      notes: [
        `the first save: longest block ${percentile(
          runs.map((r) => r.first.longestMs),
          0.5,
        ).toFixed(1)} ms`,
      ],
    };
  },
);
