import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { CheckpointManager, MemoryStore, type StateNode, snapshot } from "@ckpt/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { KeptState, StateKeeper } from "../src/kept-states.js";

const runs = { numRuns: Number(process.env.CKPT_PROPERTY_RUNS ?? 300) };
const TURNS = 1_000;

/** A conversation of two messages per turn that grows to about 2 MB. */
function turn(state: { messages: object[]; step: number }, step: number): void {
  for (const role of ["user", "assistant"]) {
    const words = Array.from({ length: 48 }, (_, i) => `${role}-${(step * 7919 + i * 104729) % 999983}-${i}`);
    state.messages.push({ role, content: Buffer.from(words.join(" ").padEnd(970, ".")).toString("latin1") });
  }
  state.step = step;
}

function heapUsed(): number {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  for (let i = 0; i < 3; i++) collect();
  return process.memoryUsage().heapUsed;
}

describe("a history in memory", () => {
  it("of 1,000 turns growing to 2 MB, all kept, costs at most 3 times its last state's JSON", async () => {
    const keep = Number.POSITIVE_INFINITY;
    // All stay referenced, so that what one run frees is not taken off the next one's bill.
    const held: unknown[] = [];
    const ratios: number[] = [];
    for (let attempt = 0; attempt < 3; attempt++) {
      const before = heapUsed();
      const manager = new CheckpointManager({ maxCheckpoints: keep, compressAfter: keep });
      held.push(manager);
      const live = { messages: [], step: 0 };
      for (let step = 0; step < TURNS; step++) {
        turn(live, step);
        await manager.create("step", live);
      }
      const json = JSON.stringify(live).length;
      expect(json).toBeGreaterThan(1_900_000);
      live.messages.length = 0;
      ratios.push((heapUsed() - before) / json);
      expect(await manager.length).toBe(TURNS);
      const middle = (await (await manager.getAll())[499]?.data()) as typeof live;
      expect(middle).toMatchObject({ step: 499, messages: { length: 1_000 } });
    }
    // The first run pays for code that is compiled on the way. Nothing is below what the texts alone take.
    expect(Math.min(...ratios)).toBeGreaterThan(0.9);
    expect(Math.min(...ratios)).toBeLessThan(3);
  });

  it("has each message once, however many checkpoints hold it", async () => {
    const keep = Number.POSITIVE_INFINITY;
    const manager = new CheckpointManager({ maxCheckpoints: keep, compressAfter: keep });
    const live = { messages: [], step: 0 };
    for (let step = 0; step < 200; step++) {
      turn(live, step);
      await manager.create("step", structuredClone(live));
    }
    const messages = new Set<StateNode>();
    for await (const checkpoint of manager) {
      const { root } = await checkpoint.snapshot();
      for (const message of (root as { messages: StateNode[] }).messages) messages.add(message);
    }
    expect(messages.size).toBe(400);
  });

  it("gives every state back that was kept, whatever came before and after it", () => {
    const state = fc.anything({ withNullPrototype: true, withBigInt: true, withDate: true, withMap: true });
    const grown = fc.array(fc.tuple(fc.integer({ min: 0, max: 60 }), state), { minLength: 1, maxLength: 50 });
    fc.assert(
      fc.property(grown, fc.string({ minLength: 1200, maxLength: 1300 }), (changes, ballast) => {
        const keeper = new StateKeeper();
        const list: unknown[] = [ballast];
        let previous = snapshot(list);
        const all = changes.map(([at, value]) => {
          list.splice(at % (list.length + 1), at % 3, value);
          list.push(ballast + at);
          previous = snapshot(list, { previous });
          return { taken: previous, kept: keeper.keep(previous) };
        });
        for (const { taken, kept } of all) {
          const restored = kept.restore();
          expect(restored.hash).toBe(taken.hash);
          expect(restored.toValue()).toStrictEqual(taken.toValue());
        }
      }),
      runs,
    );
  });

  it("does not hold on to removed states without end", async () => {
    const store = new MemoryStore();
    const manager = new CheckpointManager<{ text: string; n: number }>({ store, maxCheckpoints: 3 });
    const grow = async (rounds: number) => {
      for (let n = 0; n < rounds; n++) await manager.create("a", { text: `${n} `.repeat(5_000), n });
      return heapUsed();
    };
    await grow(100);
    const before = await grow(100);
    const after = await grow(1_000);
    // A thousand such states are 20 MB and more.
    expect(after - before).toBeLessThan(4_000_000);
    expect(await manager.length).toBe(3);
  });

  it("keeps a state whole when the deltas to it would be more, or too many", () => {
    /** How many kept states a restore of the last of these goes through. */
    const distinct = (states: unknown[][]) => {
      const keeper = new StateKeeper();
      let previous = snapshot(states[0]);
      const wholes = states.filter((state) => {
        previous = snapshot(state, { previous });
        // A state that is kept whole comes back as the very object that was kept.
        return keeper.keep(previous).restore() === previous;
      });
      return wholes.length;
    };
    const text = (i: number, length: number) => `${i} `.padEnd(length, `${i % 7}`);
    const grown = Array.from({ length: 100 }, (_, i) =>
      Array.from({ length: 100 + i }, (_, k) => text(k, 100)),
    );
    expect(distinct(grown)).toBe(4);
    const rewritten = Array.from({ length: 100 }, (_, i) => [text(1, 1_000), text(i, 1_000)]);
    expect(distinct(rewritten)).toBeGreaterThan(30);
    expect(distinct(Array.from({ length: 10 }, (_, i) => ["small", i]))).toBe(10);
  });

  it("refuses to hand out a state that does not have its hash", () => {
    const kept = new KeptState("0".repeat(64), snapshot({ n: 1 }));
    expect(() => kept.restore()).toThrow(expect.objectContaining({ code: "CKPT_CORRUPT" }));
  });
});
