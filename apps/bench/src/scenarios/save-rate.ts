import { isDeepStrictEqual } from "node:util";
import type { Contestant } from "../contestant.js";
import { elapsedMs, interleave } from "../measure.js";
import { type BarResult, bar, type ResultRow, type Run, ratioTo, rows, type Scenario } from "../scenario.js";
import { type AgentState, Generator } from "../states.js";

interface Shape {
  readonly name: string;
  readonly title: string;
  readonly stateBytes: number;
  readonly agents: number;
  readonly saves: { readonly full: number; readonly quick: number };
  /** Leaves out contestants that would take minutes or measure something else. */
  readonly without?: readonly string[];
  bars(rows: readonly ResultRow[]): BarResult[];
}

/** One message is replaced in place and the counters move: about a turn's change, at a constant size. */
function change(state: AgentState, generator: Generator, turn: number): void {
  state.step = turn;
  state.counters.tokens += 17;
  const at = turn % state.messages.length;
  const old = state.messages[at];
  if (old) state.messages[at] = { ...generator.message(Math.max(120, old.content.length + 100)) };
}

async function rate(contestant: Contestant, run: Run, shape: Shape, round: number): Promise<number> {
  const generator = new Generator(run.seed + round);
  const states = Array.from({ length: shape.agents }, () =>
    generator.state(shape.stateBytes, shape.stateBytes > 8000 ? 2000 : 600),
  );
  const names = states.map((_, i) => `agent-${i + 3}`);
  const open = await contestant.open(await run.directory());
  const saves = Math.max(4, Math.floor((run.quick ? shape.saves.quick : shape.saves.full) / shape.agents));
  const prepared = states.map((state) => ({ state, generator: new Generator(run.seed + 7) }));
  const one = async (agent: number, count: number, from: number) => {
    const { state, generator: own } = prepared[agent] as (typeof prepared)[number];
    for (let turn = from; turn < from + count; turn += 1) {
      change(state, own, turn);
      await open.save(names[agent] as string, state, turn);
    }
  };
  await Promise.all(names.map((_, agent) => one(agent, 3, 0)));
  const ms = await elapsedMs(() => Promise.all(names.map((_, agent) => one(agent, saves, 3))));
  await open.close();
  if (contestant.kind === "ours") await checkReopened(contestant, run, states, names);
  return (saves * names.length) / (ms / 1000);
}

let lastDirectory = "";

/** Every benchmark of ours ends by reopening the store and comparing what was acknowledged. */
async function checkReopened(
  contestant: Contestant,
  run: Run,
  states: readonly AgentState[],
  names: readonly string[],
): Promise<void> {
  const open = await contestant.open(lastDirectory || (await run.directory()));
  for (const [i, name] of names.entries())
    if (!isDeepStrictEqual(await open.latest(name), states[i]))
      throw new Error(`${name}: the reopened store gave another state`);
  await open.close();
}

function saveRate(shape: Shape): Scenario {
  return {
    name: shape.name,
    title: shape.title,
    async run(run) {
      const remembering: Run = { ...run, directory: async () => (lastDirectory = await run.directory()) };
      const subjects = run.contestants.present.filter((c) => !shape.without?.includes(c.name));
      const values = new Map<Contestant, number[]>(subjects.map((c) => [c, []]));
      await interleave(subjects, run.rounds, async (contestant, round) => {
        run.progress(`${shape.name} round ${round + 1}/${run.rounds}: ${contestant.name}`);
        values.get(contestant)?.push(await rate(contestant, remembering, shape, round));
      });
      const result = rows(values, true);
      return {
        name: shape.name,
        title: shape.title,
        unit: "saves/s",
        higherIsBetter: true,
        rows: result,
        bars: shape.bars(result),
        notes: [],
      };
    },
  };
}

export const single2k = saveRate({
  name: "single-2k",
  title: "durable saves of a 2 KB state, one agent, one after another",
  stateBytes: 2048,
  agents: 1,
  saves: { full: 3000, quick: 600 },
  bars: (r) => [bar("against a bare O_DSYNC append", ratioTo(r, "append O_DSYNC"), "≥", 0.9)],
});

export const single64k = saveRate({
  name: "single-64k",
  title: "durable saves of a 64 KB state of which one message changed",
  stateBytes: 65_536,
  agents: 1,
  saves: { full: 1500, quick: 300 },
  bars: (r) => [
    bar("against a bare O_DSYNC append of the whole state", ratioTo(r, "append O_DSYNC"), "≥", 2),
  ],
});

export const agents64 = saveRate({
  name: "agents-64",
  title: "durable saves of 2 KB states, 64 agents at once",
  stateBytes: 2048,
  agents: 64,
  saves: { full: 19_200, quick: 3200 },
  without: ["temp + fsync + rename + fsync(dir)", "JSON.stringify alone"],
  bars: (r) => [
    bar("against SqliteSaver FULL", ratioTo(r, "SqliteSaver FULL"), "≥", 12),
    bar("against lmdb, flushed", ratioTo(r, "lmdb, flushed"), "≥", 2),
  ],
});
