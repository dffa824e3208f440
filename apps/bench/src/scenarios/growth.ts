import { join } from "node:path";
import { ResilientCheckpointManager } from "@ckpt/resilient";
import { anyOf, keepLast } from "@ckpt/retention";
import { percentile } from "../measure.js";
import { bar, type Run, type Scenario } from "../scenario.js";
import { type AgentState, Generator } from "../states.js";
import { timedSaves } from "../timed-saves.js";
import { directoryBytes } from "./thousand-turns.js";

const open = (directory: string, agent: string, retention: false | ReturnType<typeof anyOf> = false) =>
  new ResilientCheckpointManager<AgentState>(agent, { directory: join(directory, "store"), retention });

/** A history and what fresh processes that go on with it measured. */
interface Measured {
  readonly directory: string;
  readonly ms: number[];
  readonly bytes: number[];
}

const ROUNDS = 7;

export const growth: Scenario = {
  name: "growth",
  title: "time and bytes per save after a short and after a long history",
  async run(run) {
    const fill = async (checkpoints: number, agents: number): Promise<Measured> => {
      const directory = await run.directory();
      run.progress(`growth: filling ${checkpoints}`);
      await run.child("fillMany", { directory, agents, checkpoints, seed: run.seed });
      return { directory, ms: [], bytes: [] };
    };
    const short = await fill(run.quick ? 500 : 1000, 1);
    const long = await fill(run.quick ? 10_000 : 100_000, 2);
    // By turns, in fresh processes: a slow minute meets both.
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const { directory, ms, bytes } of round % 2 === 0 ? [short, long] : [long, short]) {
        run.progress(`growth round ${round + 1}/${ROUNDS}`);
        const before = await directoryBytes(directory);
        const argument = { directory, seed: run.seed + round, warmUp: 500, saves: 500 };
        ms.push((await run.child<{ ms: number }>("saveOn", argument)).ms);
        bytes.push((await directoryBytes(directory)) - before);
      }
    }
    const ratio = (pick: (of: Measured) => number[]) =>
      percentile(pick(long), 0.5) / percentile(pick(short), 0.5);
    const spread = ({ ms }: Measured) =>
      `${percentile(ms, 0.5).toFixed(3)} ms (${Math.min(...ms).toFixed(3)} … ${Math.max(...ms).toFixed(3)})`;
    return {
      name: "growth",
      title: growth.title,
      unit: "",
      higherIsBetter: false,
      rows: [],
      bars: [
        bar(
          "median time per save, long against short",
          ratio((of) => of.ms),
          "≤",
          1.1,
        ),
        bar(
          "bytes per save, long against short",
          ratio((of) => of.bytes),
          "≤",
          1.1,
        ),
      ],
      notes: [`median of ${ROUNDS} processes: short ${spread(short)}, long ${spread(long)}`],
    };
  },
};

/** Retention down to 3 of many and a compaction, while another agent goes on saving. */
export const pruning: Scenario = {
  name: "pruning",
  title: "p99 of saves while retention drops a long history and compaction runs",
  async run(run: Run) {
    const count = run.quick ? 10_000 : 100_000;
    const directory = await run.directory();
    const filler = open(directory, "long-history");
    run.progress(`pruning: filling ${count}`);
    const lanes = Array.from({ length: 32 }, (_, i) => open(directory, `filler-${i}`));
    await Promise.all(
      lanes.map((m, i) =>
        timedSaves(m, new Generator(i).state(2048, 600), new Generator(i), Math.floor(count / 64)),
      ),
    );
    await timedSaves(filler, new Generator(99).state(2048, 600), new Generator(99), Math.floor(count / 2));
    const steady = open(directory, "steady");
    const state = new Generator(5).state(2048, 600);
    const generator = new Generator(6);
    const undisturbed = await timedSaves(steady, state, generator, 3000);
    run.progress("pruning: retention and compaction with saves going on");
    await filler.close();
    const pruner = open(directory, "long-history", anyOf(keepLast(3)));
    let done = false;
    const maintenance = (async () => {
      await pruner.applyRetention();
      await pruner.compact();
      done = true;
    })();
    const disturbed: number[] = [];
    while (!done || disturbed.length < 500)
      disturbed.push(...(await timedSaves(steady, state, generator, 50)));
    await maintenance;
    for (const each of [pruner, steady, ...lanes]) await each.close();
    return {
      name: "pruning",
      title: pruning.title,
      unit: "",
      higherIsBetter: false,
      rows: [],
      bars: [
        bar("p99 against undisturbed", percentile(disturbed, 0.99) / percentile(undisturbed, 0.99), "≤", 2),
      ],
      notes: [
        `p99 undisturbed ${percentile(undisturbed, 0.99).toFixed(2)} ms, disturbed ${percentile(disturbed, 0.99).toFixed(2)} ms over ${disturbed.length} saves`,
      ],
    };
  },
};
