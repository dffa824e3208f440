import { cycle, DriftMonitor, type Level, monitor, type Signal, simhash, stall } from "@ckpt/drift";
import { describe, expect, test } from "vitest";
import { alarms, freshStep, generator, watch } from "./support.js";

const step = (action: string, observation: string, more: Partial<Signal> = {}): Signal => ({
  action,
  observation,
  outcome: "ok",
  ...more,
});
const times = <T>(n: number, make: (i: number) => T): T[] => Array.from({ length: n }, (_, i) => make(i));
const levels = (signals: readonly Signal[], pollers: readonly string[] = []): Level[] =>
  watch(monitor({ pollers }), signals).map((v) => v.level);
const start = times(5, freshStep);

describe("an agent that goes nowhere", () => {
  test("is warned of, then called drift, with the step where it began", () => {
    const stuck = times(10, (i) =>
      step(`grep -n 'needle' src/part${i % 3}.ts`, "no such file", {
        outcome: "error",
        checkpointId: `a:${5 + i}`,
      }),
    );
    const signals = [...start.map((s, i) => ({ ...s, checkpointId: `a:${i}` })), ...stuck];
    const verdicts = watch(monitor(), signals);
    const drift = alarms(verdicts)[0]!;
    expect(drift).toBeGreaterThan(5);
    expect(drift).toBeLessThan(12);
    expect(verdicts.slice(0, drift).some((v) => v.level === "warn")).toBe(true);
    const verdict = verdicts[drift]!;
    expect(verdict.evidence[0]).toMatchObject({ detector: "stall", level: "drift" });
    expect(verdict.since!.index).toBeGreaterThanOrEqual(4);
    expect(verdict.lastGood!.index).toBe(verdict.since!.index - 1);
  });

  test("is found when observations come back by other actions, not only in a row", () => {
    const wander = times(12, (i) =>
      step(`look at shelf ${i} again`, ["the red door", "the blue door"][i % 2]!),
    );
    expect(levels([...start, ...wander])).toContain("drift");
  });

  test("is not one that works, whatever the number of steps", () => {
    expect(new Set(levels(times(500, freshStep)))).toEqual(new Set(["ok"]));
  });

  test("is measured against itself when its usual steps look alike", () => {
    const random = generator(3);
    const routine = times(600, (i) =>
      step(`put row ${Math.floor(random.uniform() * 1e6)}`, i % 2 === 0 ? "stored" : `stored ${i}`),
    );
    const late = watch(monitor({ detectors: [stall()] }), routine).slice(200);
    expect(late.filter((v) => v.level === "drift")).toHaveLength(0);
  });

  test("is always warned of before it is called drift", () => {
    const random = generator(4);
    let drifts = 0;
    for (let run = 0; run < 200; run++) {
      const seen = watch(
        monitor({ detectors: [stall()] }),
        times(20, () => {
          const k = Math.floor(random.uniform() ** 2 * 12);
          return step(`act ${k}`, `see ${k % 5}`, { outcome: random.uniform() < 0.4 ? "error" : "ok" });
        }),
      ).map((v) => v.level);
      const first = seen.indexOf("drift");
      if (first < 0) continue;
      drifts++;
      expect(seen[first - 1]).toBe("warn");
    }
    expect(drifts).toBeGreaterThan(50);
  });

  test("forgets the episode on acknowledgement, so that the restored agent starts clean", () => {
    const watcher = monitor();
    const stuck = times(12, () => step("cat missing", "no such file", { outcome: "error" }));
    watch(watcher, [...start, ...stuck]);
    expect(watcher.verdict().level).toBe("drift");
    watcher.acknowledge();
    expect(watcher.observe(step("cat missing", "no such file", { outcome: "error" })).level).toBe("ok");
  });

  test("is told from hashes as well as from texts", () => {
    const hashed = times(12, (i) => step(`h${i % 2}`, `o${i % 2}`, { outcome: "error" }));
    expect(levels([...times(4, (i) => step(`x${i}`, `y${i}`)), ...hashed])).toContain("drift");
  });

  test("is told from states that come back", () => {
    const repeated = times(14, (i) => ({
      action: `try number ${i}`,
      observation: `seen ${i}`,
      stateHash: `s${i % 2}`,
    }));
    expect(levels([...start, ...repeated])).toContain("drift");
  });
});

describe("polling", () => {
  const jobs: Record<string, (i: number) => Signal[]> = {
    constant: () => [step("job_status 7", "running")],
    percentage: (i) => [
      step("job_status 7", `running: ${i} percent`, { observationSimhash: simhash(`running: ${i} percent`) }),
    ],
    "with a pause between": () => [step("wait 30", ""), step("job_status 7", "running")],
    "hashes only": () => [step("3f2a", "99ab")],
  };

  test.each(Object.entries(jobs))("%s: warns at most, for as long as it takes", (_, poll) => {
    const run = [...start, ...times(150, poll).flat(), step("fetch 7", "the result")];
    expect(levels(run)).not.toContain("drift");
  });

  test.each(Object.entries(jobs))("%s: is nothing when it is declared", (_, poll) => {
    const run = [...start, ...times(150, poll).flat(), step("fetch 7", "the result")];
    expect(new Set(levels(run, ["job_status*", "wait*", "3f2a"]))).toEqual(new Set(["ok"]));
  });

  test("after a set-up whose steps answer alike still warns at most", () => {
    const setUp = [step("mkdir -p out/a", "ok"), step("chmod 755 data.csv", "ok")];
    const run = [...start, ...setUp, ...times(60, () => step("job_status 7", "running"))];
    expect(levels(run)).not.toContain("drift");
  });

  test("weighs no more the longer it lasts", () => {
    const verdicts = watch(monitor({ detectors: [stall()] }), [
      ...start,
      ...times(40, () => step("job_status 7", "running")),
    ]);
    expect(verdicts[12]!.level).toBe("warn");
    expect(verdicts[30]!.score).toBeLessThanOrEqual(verdicts[10]!.score);
  });

  test("that fails each time is no waiting", () => {
    const run = [
      ...start,
      ...times(15, () => step("job_status 7", "connection refused", { outcome: "error" })),
    ];
    expect(levels(run)).toContain("drift");
  });
});

describe("cycles", () => {
  const rounds = (period: number, n: number, outcome: "ok" | "error" = "ok"): Signal[] =>
    times(period * n, (i) => step(`step ${i % period}`, `result ${i % period}`, { outcome }));

  test.each([1, 2, 3, 4, 5])(
    "of %i steps are found with their period, after four rounds as drift unless they look like waiting",
    (period) => {
      const watcher = monitor({ detectors: [cycle()] });
      const verdicts = watch(watcher, [...start, ...rounds(period, 4)]);
      expect(verdicts.at(-1)!.level).toBe(period <= 2 ? "warn" : "drift");
      expect(verdicts.at(-1)!.evidence[0]!.since.index).toBe(5);
      expect(levels(rounds(period, 4, "error")).at(-1)).toBe("drift");
    },
  );

  test("of six steps are not looked for, and near misses are none", () => {
    expect(watch(monitor({ detectors: [cycle()] }), rounds(6, 8)).every((v) => v.level === "ok")).toBe(true);
    const almost = times(40, (i) => step(`step ${i % 3}`, `result ${i}`));
    expect(watch(monitor({ detectors: [cycle()] }), almost).every((v) => v.level === "ok")).toBe(true);
  });
});

describe("the arguments of a call", () => {
  const calls = (n: number, path: (i: number) => string, more: Partial<Signal>): Signal[] =>
    times(n, (i) => ({
      tool: ["read", "edit", "test"][i % 3]!,
      arguments: { path: path(i) },
      outcome: "ok",
      ...more,
    }));

  test("tell steps of the same tools apart", () => {
    const verdicts = watch(
      monitor(),
      calls(30, (i) => `file${i}.ts`, { observation: "" }),
    );
    expect(new Set(verdicts.map((v) => v.level))).toEqual(new Set(["ok"]));
  });

  test("that come back with the tools and their results are a cycle", () => {
    const verdict = watch(
      monitor({ detectors: [cycle()] }),
      calls(12, () => "a.ts", { observation: "done" }),
    ).at(-1)!;
    expect(verdict).toMatchObject({ level: "drift" });
    expect(verdict.evidence[0]!.message).toContain("with the same results");
  });

  test("that come back without results given are a warning, which claims nothing of results", () => {
    const verdicts = watch(
      monitor({ detectors: [cycle()] }),
      calls(30, () => "a.ts", {}),
    );
    expect(verdicts.at(-1)).toMatchObject({ level: "warn" });
    expect(verdicts.at(-1)!.evidence[0]!.message).toContain("results that were not given");
    expect(alarms(verdicts)).toEqual([]);
  });

  test("may be no JSON: then they tell nothing apart", () => {
    const knot: Record<string, unknown> = {};
    knot.self = knot;
    const steps = times(12, () => step("tie", "tied", { arguments: knot, outcome: "error" }));
    expect(levels(steps).at(-1)).toBe("drift");
  });
});

describe("the memory of steps", () => {
  test("is bounded however long the run and its texts are", () => {
    const watcher = monitor();
    for (let i = 0; i < 3000; i++)
      watcher.observe({
        action: `act ${i} ${"x".repeat(200)}`,
        observation: `${i} ${"y ".repeat(200)}`,
        stateHash: `s${i}`,
      });
    const size = JSON.stringify(watcher).length;
    expect(size).toBeLessThan(60_000);
    expect(DriftMonitor.fromJSON(JSON.parse(JSON.stringify(watcher))).count).toBe(3000);
  });
});
