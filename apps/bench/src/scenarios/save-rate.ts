import { isDeepStrictEqual } from "node:util";
import type { Contestant } from "../contestant.js";
import { elapsedMs, interleave } from "../measure.js";
import { type BarResult, bar, type ResultRow, type Run, ratioTo, rows, type Scenario } from "../scenario.js";
import { type AgentState, Generator, type Message } from "../states.js";

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

/** An agent with its state and the messages of all its turns, made ahead: the clock runs for saves alone. */
interface Lane {
  readonly name: string;
  readonly state: AgentState;
  readonly messages: readonly Message[];
}

function lane(shape: Shape, seed: number, agent: number, turns: number): Lane {
  const generator = new Generator(seed + agent);
  const state = generator.state(shape.stateBytes, shape.stateBytes > 8000 ? 2000 : 600);
  // Each message has about the size of the one that it replaces, so that the state keeps its own.
  const sizes = state.messages.map(({ content }) => Math.max(120, content.length + 100));
  const messages = Array.from({ length: turns }, (_, turn) =>
    generator.message(sizes[turn % sizes.length] as number),
  );
  return { name: `agent-${agent + 3}`, state, messages };
}

/** One message is replaced in place and the counters move: about a turn's change, at a constant size. */
function change({ state, messages }: Lane, turn: number): void {
  state.step = turn;
  state.counters.tokens += 17;
  state.messages[turn % state.messages.length] = messages[turn] as Message;
}

const WARM_UP_TURNS = 50;

async function rate(contestant: Contestant, run: Run, shape: Shape, round: number): Promise<number> {
  const saves = Math.max(4, Math.floor((run.quick ? shape.saves.quick : shape.saves.full) / shape.agents));
  const warmUp = Math.min(WARM_UP_TURNS, saves);
  const lanes = Array.from({ length: shape.agents }, (_, agent) =>
    lane(shape, run.seed + round * 1000, agent, warmUp + saves),
  );
  const directory = await run.directory();
  const open = await contestant.open(directory);
  const turns = async (each: Lane, from: number, to: number) => {
    for (let turn = from; turn < to; turn += 1) {
      change(each, turn);
      await open.save(each.name, each.state, turn);
    }
  };
  await Promise.all(lanes.map((each) => turns(each, 0, warmUp)));
  const ms = await elapsedMs(() => Promise.all(lanes.map((each) => turns(each, warmUp, warmUp + saves))));
  await open.close();
  if (contestant.kind === "ours") await checkReopened(contestant, directory, lanes);
  return (saves * lanes.length) / (ms / 1000);
}

/** Every measurement of ours ends by reopening the store and comparing what was acknowledged last. */
async function checkReopened(
  contestant: Contestant,
  directory: string,
  lanes: readonly Lane[],
): Promise<void> {
  const open = await contestant.open(directory);
  for (const { name, state } of lanes)
    if (!isDeepStrictEqual(await open.latest(name), state))
      throw new Error(`${name}: the reopened store gave another state`);
  await open.close();
}

function saveRate(shape: Shape): Scenario {
  return {
    name: shape.name,
    title: shape.title,
    usesPeers: true,
    async run(run) {
      const subjects = run.contestants.present.filter((c) => !shape.without?.includes(c.name));
      const values = new Map<Contestant, number[]>(subjects.map((c) => [c, []]));
      await interleave(subjects, run.rounds, async (contestant, round) => {
        run.progress(`${shape.name} round ${round + 1}/${run.rounds}: ${contestant.name}`);
        values.get(contestant)?.push(await rate(contestant, run, shape, round));
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
