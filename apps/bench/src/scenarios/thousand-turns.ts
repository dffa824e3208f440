import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Contestant } from "../contestant.js";
import { elapsedMs, interleave } from "../measure.js";
import { bar, type Run, ratioTo, rows, type Scenario } from "../scenario.js";
import { type AgentState, Generator, take, turnOf } from "../states.js";

/** Apparent size of everything below a directory. */
export async function directoryBytes(directory: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(directory, { withFileTypes: true, recursive: true }))
    if (entry.isFile()) bytes += (await stat(join(entry.parentPath ?? entry.path, entry.name))).size;
  return bytes;
}

interface TurnsResult {
  readonly ms: number;
  readonly bytes: number;
  readonly stateBytes: number;
}

/** 1,000 turns of a conversation that grows to about 2 MB, one save each; opening and closing count. */
async function thousandTurns(
  contestant: Contestant,
  directory: string,
  seed: number,
  turns: number,
  rebuilt: boolean,
): Promise<TurnsResult> {
  const generator = new Generator(seed);
  let state: AgentState = generator.state(400);
  // Made ahead: the clock runs for saves alone.
  const steps = Array.from({ length: turns }, () => turnOf(generator, 2000));
  let outside = 0;
  const ms = await elapsedMs(async () => {
    const open = await contestant.open(directory);
    for (const [i, step] of steps.entries()) {
      take(state, step);
      if (rebuilt)
        outside += await elapsedMs(async () => (state = JSON.parse(JSON.stringify(state)) as AgentState));
      await open.save("agent-3", state, i);
    }
    await open.close();
  });
  return {
    ms: ms - outside,
    bytes: await directoryBytes(directory),
    stateBytes: Buffer.byteLength(JSON.stringify(state)),
  };
}

const EXCLUDED = [
  "append + fdatasync",
  "pre-zeroed O_DSYNC",
  "temp + fsync + rename + fsync(dir)",
  "atomically",
];

async function measure(run: Run, subjects: readonly Contestant[], rounds: number, rebuilt: boolean) {
  const ms = new Map<Contestant, number[]>(subjects.map((c) => [c, []]));
  const sizes = new Map<Contestant, number>();
  await interleave(subjects, rounds, async (contestant, round) => {
    run.progress(
      `thousand-turns${rebuilt ? ", rebuilt" : ""} round ${round + 1}/${rounds}: ${contestant.name}`,
    );
    const result = await thousandTurns(
      contestant,
      await run.directory(),
      run.seed,
      run.quick ? 300 : 1000,
      rebuilt,
    );
    ms.get(contestant)?.push(result.ms);
    sizes.set(contestant, result.bytes / result.stateBytes);
  });
  return { ms, sizes };
}

export const thousandTurnsScenario: Scenario = {
  name: "thousand-turns",
  title: "1,000 turns, one save each, growing to 2 MB: total time, and bytes on disk",
  usesPeers: true,
  async run(run) {
    const subjects = run.contestants.present.filter((c) => !EXCLUDED.includes(c.name));
    const rounds = run.quick ? 1 : Math.min(3, run.rounds);
    const live = await measure(run, subjects, rounds, false);
    const few = subjects.filter((c) => c.kind === "ours" || c.name === "SqliteSaver as shipped");
    const rebuilt = await measure(run, few, rounds, true);
    const result = rows(live.ms, false);
    const rebuiltRows = rows(rebuilt.ms, false);
    const own = [...live.sizes].find(([c]) => c.kind === "ours")?.[1] ?? Number.NaN;
    return {
      name: "thousand-turns",
      title: this.title,
      unit: "ms",
      higherIsBetter: false,
      rows: result,
      bars: [
        bar("time against SqliteSaver as shipped", ratioTo(result, "SqliteSaver as shipped"), "≥", 20),
        bar("bytes on disk against the final state's JSON", own, "≤", 1.5),
        bar(
          "rebuilt states: time against SqliteSaver as shipped",
          ratioTo(rebuiltRows, "SqliteSaver as shipped"),
          "≥",
          5,
        ),
      ],
      notes: [...live.sizes].map(([c, ratio]) => `${c.name}: ${ratio.toFixed(2)}x the final state on disk`),
    };
  },
};
