import { DriftMonitor, errorStreak, invariant, monitor, type Signal, unusual } from "@ckpt/drift";
import { CkptError } from "@ckpt/errors";
import { describe, expect, test } from "vitest";
import { generator, watch } from "./support.js";

const times = <T>(n: number, make: (i: number) => T): T[] => Array.from({ length: n }, (_, i) => make(i));
const outcomes = (text: string): Signal[] => [...text].map((c) => ({ outcome: c === "x" ? "error" : "ok" }));

describe("error streaks", () => {
  const last = (text: string) => watch(monitor({ detectors: [errorStreak()] }), outcomes(text)).at(-1)!;

  test("warn from three, and are drift when the agent's own error rate does not explain them", () => {
    expect(last(`${"-".repeat(50)}xx`).level).toBe("ok");
    expect(last(`${"-".repeat(50)}xxx`).level).toBe("warn");
    expect(last(`${"-".repeat(50)}xxxxxx`)).toMatchObject({ level: "drift", since: { index: 50 } });
  });

  test("need to be longer for an agent that often fails", () => {
    const clumsy = "-xx-x-x-xx-x-x--x-".repeat(10);
    expect(last(`${clumsy}xxxxxx`).level).toBe("warn");
    expect(last(`${clumsy}${"x".repeat(20)}`).level).toBe("drift");
  });

  test("end with a success", () => {
    const verdicts = watch(monitor({ detectors: [errorStreak()] }), outcomes(`xxxx${"-".repeat(10)}`));
    expect(verdicts.at(-1)!.level).toBe("ok");
  });
});

describe("declared invariants", () => {
  interface State {
    budget: number;
    items: string[];
  }
  const state = (budget: number, items: string[] = []): Signal => ({ state: { budget, items } });

  test("are drift at once, with confidence 1, as long as they are violated", () => {
    const watcher = monitor({
      invariants: [invariant((s: State) => s.budget >= 0, { name: "budget", suggestion: "top up" })],
    });
    const verdicts = watch(watcher, [state(2), state(1), state(-1), state(-2), state(3)]);
    expect(verdicts[2]).toMatchObject({ level: "drift", raised: true, score: 1, since: { index: 2 } });
    expect(verdicts[2]!.evidence[0]).toMatchObject({
      detector: "budget",
      confidence: 1,
      suggestion: "top up",
    });
    expect(verdicts[3]!.evidence[0]).toMatchObject({ window: 2, since: { index: 2 } });
    expect(verdicts[4]!.evidence).toEqual(verdicts[3]!.evidence);
  });

  test("compare a view of the state with its earlier value, as it was then", () => {
    const live = { budget: 5, items: ["a"] };
    const onlyGrows = invariant(
      (now: string[], before) =>
        before === undefined || now.length >= before.length || `lost ${before.length - now.length}`,
      {
        name: "items only grow",
        select: (s: State) => s.items,
      },
    );
    const watcher = monitor({ invariants: [onlyGrows] });
    watcher.observe({ state: live });
    live.items.push("b");
    expect(watcher.observe({ state: live }).level).toBe("ok");
    live.items.length = 0;
    expect(watcher.observe({ state: live }).evidence[0]!.after).toBe("lost 2");
  });

  test("take a schema of the Standard Schema kind", () => {
    const schema = {
      "~standard": {
        validate: (value: unknown) =>
          typeof (value as State).budget === "number"
            ? { value }
            : { issues: [{ message: "expected a number", path: ["budget"] }] },
      },
    };
    const watcher = monitor({ invariants: [invariant(schema, { name: "shape" })] });
    expect(watcher.observe(state(1)).level).toBe("ok");
    expect(watcher.observe({ state: { budget: "1" } }).evidence[0]!.message).toContain(
      "budget: expected a number",
    );
  });

  test("that throw are violations, and asynchronous schemas are refused", () => {
    const throwing = monitor({ invariants: [invariant((s: { a: { b: number } }) => s.a.b > 0)] });
    expect(throwing.observe({ state: {} }).evidence[0]!.message).toContain("the check threw");
    const late = { "~standard": { validate: async (value: unknown) => ({ value }) } };
    expect(() => monitor({ invariants: [invariant(late)] }).observe(state(1))).toThrowError(
      expect.objectContaining({ code: "CKPT_INVALID_ARGUMENT" }),
    );
  });

  test("that answer later are refused, and what they reject with does not end the process", async () => {
    const unheard: unknown[] = [];
    const hear = (reason: unknown) => unheard.push(reason);
    process.on("unhandledRejection", hear);
    const late = async () => Promise.reject(new Error("boom"));
    // biome-ignore lint/suspicious/noThenProperty: promises of other libraries are no Promise.
    const foreign = () => ({ then: (_: unknown, failed: (e: Error) => void) => failed(new Error("boom")) });
    const checks = [
      late,
      foreign,
      { "~standard": { validate: late } },
      { "~standard": { validate: foreign } },
    ];
    for (const check of checks) {
      expect(() => monitor({ invariants: [invariant(check as never)] }).observe(state(1))).toThrowError(
        expect.objectContaining({ code: "CKPT_INVALID_ARGUMENT" }),
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
    process.off("unhandledRejection", hear);
    expect(unheard).toEqual([]);
  });

  test("keep no more than the beginning of a long reason", () => {
    const check = (): boolean => {
      throw new Error("x".repeat(1_000_000));
    };
    const watcher = monitor({ invariants: [invariant(check)] });
    watcher.observe(state(1));
    expect(JSON.stringify(watcher).length).toBeLessThan(20_000);
  });

  test("that throw an error of the store's are violations like any other", () => {
    const check = (): boolean => {
      throw new CkptError("CKPT_NOT_FOUND", { message: "no such checkpoint", hint: "save one" });
    };
    const verdict = monitor({ invariants: [invariant(check)] }).observe(state(1));
    expect(verdict.evidence[0]!.message).toContain("the check threw: no such checkpoint");
  });

  test("compare with a view that was null after a restore as they did before it", () => {
    const stays = () =>
      invariant((now: number | null, before) => before !== null || now === null || "was null", {
        name: "stays null",
        select: (s: { v: number | null }) => s.v,
      });
    const whole = monitor({ invariants: [stays()] });
    whole.observe({ state: { v: null } });
    const restored = DriftMonitor.fromJSON(JSON.parse(JSON.stringify(whole)), { detectors: [stays()] });
    expect(JSON.stringify(restored)).toBe(JSON.stringify(whole));
    expect(restored.observe({ state: { v: 5 } })).toEqual(whole.observe({ state: { v: 5 } }));
    expect(restored.verdict().level).toBe("drift");
  });
});

describe("unusual stretches", () => {
  const day = (i: number, r: ReturnType<typeof generator>): number =>
    10 * Math.sin((2 * Math.PI * i) / 48) + 0.5 * r.normal();

  test("a spike and a drop out of the daily rhythm warn once each, never drift", () => {
    const random = generator(8);
    const values = times(2000, (i) =>
      i >= 1500 && i < 1520 ? 30 : i >= 1800 && i < 1848 ? -30 : day(i, random),
    );
    const verdicts = watch(
      monitor({ detectors: [unusual("load", { period: 48 })] }),
      values.map((load) => ({ metrics: { load } })),
    );
    const raised = verdicts.flatMap((v, i) => (v.raised ? [i] : []));
    expect(raised.some((i) => i >= 1500 && i < 1520)).toBe(true);
    expect(raised.some((i) => i >= 1800 && i < 1848)).toBe(true);
    expect(raised.length).toBeLessThanOrEqual(5);
    expect(verdicts.every((v) => v.level !== "drift")).toBe(true);
  });

  test("refuses a period that is none", () => {
    expect(() => unusual("x", { period: 0 })).toThrowError(
      expect.objectContaining({ code: "CKPT_INVALID_ARGUMENT" }),
    );
  });
});
