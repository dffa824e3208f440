import { consistency, type DriftMonitor, monitor, type Signal } from "@ckpt/drift";
import { describe, expect, test } from "vitest";
import { generator, watch } from "./support.js";

const times = <T>(n: number, make: (i: number) => T): T[] => Array.from({ length: n }, (_, i) => make(i));

describe("learned consistency", () => {
  const state = (i: number, more: object = {}): Signal => ({
    state: {
      step: i,
      agent: { name: "a", mood: i % 2 === 0 ? "fine" : "good" },
      tasks: times(i % 4, (k) => ({ id: k, done: false })),
      ...more,
    },
  });

  test("is silent on states that change as they did", () => {
    const random = generator(2);
    const verdicts = watch(
      monitor(),
      times(400, (i) => state(i, random.uniform() < 0.5 ? { note: "x" } : {})),
    );
    expect(verdicts.every((v) => v.level === "ok")).toBe(true);
  });

  test("warns of one lost place, and calls several drift, with what was learned", () => {
    const one = monitor();
    watch(
      one,
      times(60, (i) => state(i, { plan: ["a"] })),
    );
    const verdict = one.observe(state(60));
    expect(verdict.level).toBe("ok");
    const many = monitor();
    watch(
      many,
      times(200, (i) => state(i, { plan: ["a"] })),
    );
    const broken = many.observe({ state: { step: "200", agent: "a" } });
    expect(broken.level).toBe("drift");
    expect(broken.evidence[0]!.message).toMatch(/was (number|object) in 200 states/);
    expect(broken.since).toMatchObject({ index: 200 });
  });

  test("shows what it learned", () => {
    const detector = consistency();
    times(30, (i) => detector.observe(state(i), { index: i, maxFalseAlarmsPer10k: 1 }));
    expect(detector.learned()).toContainEqual({ path: "step", type: "number", seen: 30, min: 0, max: 29 });
    expect(detector.learned().map((place) => place.path)).toContain("agent.name");
  });

  test("runs no accessors, and bounds deep and wide states", () => {
    const detector = consistency();
    let deep: unknown = 1;
    for (let i = 0; i < 1000; i++) deep = { deep };
    const trap = Object.defineProperty({ deep, wide: times(10_000, (i) => ({ [`k${i}`]: i })) }, "bang", {
      enumerable: true,
      get: () => {
        throw new Error("run");
      },
    });
    detector.observe({ state: trap }, { index: 0, maxFalseAlarmsPer10k: 1 });
    expect(detector.learned().length).toBeLessThan(600);
  });

  const settled = (make: (i: number) => unknown, n = 40): DriftMonitor => {
    const watcher = monitor();
    watch(
      watcher,
      times(n, (i) => ({ state: make(i) })),
    );
    return watcher;
  };

  test("does not miss a place that a larger state pushed out of sight", () => {
    const wide = (inner: number): object => ({
      head: Object.fromEntries(times(inner, (k) => [`n${k}`, 1])),
      ...Object.fromEntries(times(600, (k) => [`m${k}`, k])),
    });
    const detector = consistency();
    const watcher = monitor({ detectors: [detector] });
    watch(
      watcher,
      times(40, () => ({ state: wide(0) })),
    );
    expect(watcher.observe({ state: wide(20) })).toMatchObject({ level: "ok", evidence: [] });
    expect(detector.learned()).toContainEqual({ path: "m505", type: "number", seen: 40, min: 505, max: 505 });
    expect(watcher.observe({ state: { head: {} } }).evidence[0]!.message).toContain("is gone");
  });

  test("does not miss fields of elements beyond the first 32 of an array", () => {
    const log: object[] = [];
    const watcher = monitor();
    const levels = times(200, (i) => {
      log.unshift(i < 5 ? { at: i, seed: 1, source: "a", note: "x", kind: "first" } : { at: i });
      return watcher.observe({ state: { log: [...log] } }).level;
    });
    expect(new Set(levels)).toEqual(new Set(["ok"]));
  });

  test("misses fields that all elements of a short array lost", () => {
    const tasks = (more: object): object => ({ tasks: times(4, (id) => ({ id, ...more })) });
    const watcher = settled(() => tasks({ owner: "a", title: "b", done: false }));
    expect(watcher.observe({ state: tasks({}) }).evidence[0]!.message).toContain("tasks[].owner is gone");
  });

  test("takes an array that runs empty for no loss, also where the state is one", () => {
    for (const make of [() => [{ id: 1 }], () => ({ tasks: [{ id: 1 }] })]) {
      const empty = Array.isArray(make()) ? [] : { tasks: [] };
      expect(settled(make).observe({ state: empty })).toMatchObject({ level: "ok", score: 0 });
    }
  });

  test("takes a place that becomes null for one that may be null, with all that was below it", () => {
    const task = (i: number): object => ({ task: { id: `t${i}`, title: "x", owner: "y", priority: 1 } });
    expect(settled(task).observe({ state: { task: null } })).toMatchObject({ level: "ok", score: 0 });
  });

  test("tells a place that changed its type once, not again for each place below it", () => {
    const files = (i: number): object => ({ files: { "src/main.ts": i, "src/a.b.ts": i, "README.md": i } });
    const verdict = settled(files).observe({ state: { files: "none" } });
    expect(verdict.evidence[0]!.message).toBe(
      "The state lost its usual shape: files is string, was object in 40 states.",
    );
    expect(settled(files).observe({ state: {} }).level).toBe("ok");
  });

  test("takes places with elements of several types, and elements that are null, as they come", () => {
    const watcher = settled(() => ({ mixed: [1, "a"], numbers: [1, 2] }), 400);
    for (const state of [
      { mixed: [1], numbers: [null, 2] },
      { mixed: ["a"], numbers: [null] },
    ])
      expect(watcher.observe({ state })).toMatchObject({ level: "ok", score: 0 });
  });

  test("looks at a bounded number of values, and learns a bounded number of places", () => {
    const detector = consistency();
    let nested: unknown = 1;
    for (let i = 0; i < 5; i++) nested = Array(32).fill(nested);
    let looks = 0;
    const counted = new Proxy(
      times(4, () => nested),
      {
        get: (target, key, receiver) => {
          looks++;
          return Reflect.get(target, key, receiver);
        },
      },
    );
    detector.observe({ state: { nested, counted } }, { index: 0, maxFalseAlarmsPer10k: 1 });
    // The values before it use the room up: 32 to the power of 5 of them.
    expect(looks).toBe(0);
    for (let i = 0; i < 20; i++) {
      const keys = Object.fromEntries(times(600, (k) => [`k${i}-${k}`, k]));
      detector.observe({ state: keys }, { index: i, maxFalseAlarmsPer10k: 1 });
    }
    expect(detector.learned().length).toBeLessThanOrEqual(1024);
    expect(detector.learned().some((place) => place.path.startsWith("k19-"))).toBe(true);
  });
});
