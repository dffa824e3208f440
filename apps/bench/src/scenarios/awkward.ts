import { ours } from "../contestants/ours.js";
import { bar, type Run, type Scenario } from "../scenario.js";
import type { AgentState } from "../states.js";
import { Generator, type Message } from "../states.js";
import { directoryBytes } from "./thousand-turns.js";

interface Shape {
  readonly name: string;
  /** Makes the first state. */
  start(generator: Generator): unknown;
  /** Changes the state (or builds the next) and says how many bytes of it are new. */
  next(state: unknown, generator: Generator, turn: number): { state: unknown; changedBytes: number };
}

const size = (value: unknown) => Buffer.byteLength(JSON.stringify(value));
const copy = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;
const messages = (generator: Generator, count: number) => ({
  messages: Array.from({ length: count }, () => generator.message(500)),
});
type Conversation = { messages: Message[] };

function sliding(name: string, rebuilt: boolean): Shape {
  return {
    name,
    start: (g) => messages(g, 1000),
    next(state, g) {
      const conversation = (rebuilt ? copy(state) : state) as Conversation;
      conversation.messages.shift();
      conversation.messages.push(g.message(500));
      return { state: conversation, changedBytes: size(conversation.messages.at(-1)) };
    },
  };
}

const shapes: readonly Shape[] = [
  {
    name: "rebuilt from scratch at every save",
    start: (g) => messages(g, 500),
    next(state, g) {
      const next = copy(state) as Conversation;
      next.messages.push(g.message(500));
      return { state: next, changedBytes: size(next.messages.at(-1)) };
    },
  },
  {
    name: "large array that changes in the middle",
    start: (g) => ({ values: Array.from({ length: 20_000 }, () => Math.floor(g.next() * 1e6)) }),
    next(state, g, turn) {
      const { values } = state as { values: number[] };
      values.splice(10_000 + (turn % 50), 1, Math.floor(g.next() * 1e6), Math.floor(g.next() * 1e6));
      return { state, changedBytes: 14 };
    },
  },
  sliding("sliding window, live objects", false),
  sliding("sliding window, rebuilt objects", true),
  {
    name: "summary inserted at the front",
    start: (g) => messages(g, 500),
    next(state, g) {
      const conversation = state as Conversation;
      conversation.messages.unshift(g.message(500));
      return { state, changedBytes: size(conversation.messages[0]) };
    },
  },
  {
    name: "text that grows token by token",
    start: (g) => ({ messages: messages(g, 50).messages, answer: g.text(2000) }),
    next(state, g) {
      const token = ` ${g.text(6)}`;
      (state as { answer: string }).answer += token;
      return { state, changedBytes: token.length };
    },
  },
  {
    name: "object with 10,000 keys",
    start: (g) => ({
      index: Object.fromEntries(
        Array.from({ length: 10_000 }, (_, i) => [`key-${i}-${g.hex(6)}`, g.text(20)]),
      ),
    }),
    next(state, g, turn) {
      const { index } = state as { index: Record<string, string> };
      const key = Object.keys(index)[(turn * 7919) % 10_000] as string;
      index[key] = g.text(20);
      return { state, changedBytes: key.length + 26 };
    },
  },
  {
    name: "6 MB Float32Array of which nothing changes",
    start: (g) => ({ step: 0, embedding: Float32Array.from({ length: 1_500_000 }, () => g.next()) }),
    next(state, _g, turn) {
      (state as { step: number }).step = turn;
      return { state, changedBytes: 5 };
    },
  },
];

async function bytesPerSave(
  run: Run,
  shape: Shape,
  saves: number,
): Promise<{ perSave: number; changed: number }> {
  const measure = async (count: number) => {
    const directory = await run.directory();
    const generator = new Generator(run.seed);
    let state = shape.start(generator);
    let changed = 0;
    const store = await ours.open(directory);
    await store.save("agent-3", state as AgentState, 0);
    for (let turn = 1; turn <= count; turn += 1) {
      const next = shape.next(state, generator, turn);
      state = next.state;
      changed += next.changedBytes;
      await store.save("agent-3", state as AgentState, turn);
    }
    await store.close();
    return { bytes: await directoryBytes(directory), changed };
  };
  const first = await measure(0);
  const all = await measure(saves);
  return { perSave: (all.bytes - first.bytes) / saves, changed: all.changed / saves };
}

export const awkward: Scenario = {
  name: "awkward",
  title: "the awkward shapes: bytes per save against what changed + 300 bytes",
  async run(run) {
    const bars = [];
    for (const shape of shapes) {
      run.progress(`awkward: ${shape.name}`);
      const { perSave, changed } = await bytesPerSave(run, shape, run.quick ? 100 : 1000);
      bars.push(
        bar(
          `${shape.name} (${perSave.toFixed(0)} bytes for ${changed.toFixed(0)})`,
          perSave / (changed + 300),
          "≤",
          3,
        ),
      );
    }
    return {
      name: "awkward",
      title: awkward.title,
      unit: "",
      higherIsBetter: false,
      rows: [],
      bars,
      notes: [],
    };
  },
};
