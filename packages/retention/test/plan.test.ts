import {
  anyOf,
  defaultPolicy,
  explain,
  forName,
  type HistoryEntry,
  keepFirst,
  keepLast,
  keepWithin,
  maxBytes,
  maxCount,
  planRetention,
  type Reason,
} from "@ckpt/retention";
import { describe, expect, it } from "vitest";
import { DAY_MS, header, history, sequences, T0 } from "./headers.js";

const codeOf = (run: () => unknown) => {
  try {
    run();
  } catch (error) {
    return (error as { code?: string }).code;
  }
  return "nothing was thrown";
};

describe("a clock that jumped", () => {
  const week = anyOf(keepWithin({ days: 7 }));
  const headers = [
    header(1, { timeMs: T0 - 30 * DAY_MS }),
    header(2, { timeMs: T0 - DAY_MS }),
    header(3, { timeMs: T0 }),
  ];

  it("drops by age as long as wall clock and newest stored time are at most a day apart", () => {
    for (const offsetMs of [-DAY_MS, 0, DAY_MS]) {
      const plan = planRetention(headers, week, T0 + offsetMs);
      expect(plan.suspended).toBeNull();
      expect(plan.dropIds).toEqual(["agent:1"]);
    }
  });

  it("suspends age rules, and says so, when they are more than a day apart", () => {
    for (const offsetMs of [-DAY_MS - 1, DAY_MS + 1, 3650 * DAY_MS]) {
      const plan = planRetention(headers, week, T0 + offsetMs);
      expect(plan.dropIds).toEqual([]);
      expect(plan.suspended).toMatchObject({ code: "clock-jump", jumpMs: offsetMs });
      expect(plan.keep[0]?.reasons.map((r) => r.code)).toEqual(["age-suspended"]);
      expect(explain(plan)).toContain("suspended: The clock is");
    }
  });

  it("goes on pruning by number meanwhile", () => {
    expect(planRetention(headers, keepLast(1), T0 + 100 * DAY_MS).dropIds).toEqual(["agent:1", "agent:2"]);
  });

  it("takes the caller's word for it", () => {
    const plan = planRetention(headers, week, T0, { clockSuspect: true });
    expect(plan.dropIds).toEqual([]);
    expect(plan.suspended?.code).toBe("clock-suspect");
  });

  it("reads microseconds and offsets, and takes a time without an offset as UTC", () => {
    const at = (timestamp: string, sequence: number) => header(sequence, { timestamp });
    const list = [
      at("2025-01-01T13:00:00.123456+01:00", 1),
      at("2025-01-01T12:00:00.5", 2),
      at("2025-01-01T12:00:01Z", 3),
    ];
    const plan = planRetention(list, keepWithin({ milliseconds: 500 }), Date.parse("2025-01-01T12:00:01Z"));
    expect(sequences(plan.keep)).toEqual([2, 3]);
  });
});

describe("protection", () => {
  it("keeps the head, its intact ancestor and what leads there, guard bases, pins and the newest intact one, with the reason", () => {
    const plan = planRetention(history(20), keepLast(1), T0 + DAY_MS / 24, {
      headId: "agent:10",
      damagedIds: ["agent:9", "agent:10", "agent:20"],
      openGuards: [{ checkpointId: "agent:4" }],
      pinnedIds: ["agent:2"],
    });
    expect(plan.keep.map((d) => [d.header.sequence, d.isProtected, d.reasons[0]?.code])).toEqual([
      [2, true, "pinned"],
      [4, true, "guard-base"],
      [8, true, "head-fallback"],
      [9, true, "head-lineage"],
      [10, true, "head"],
      [19, true, "newest-intact"],
      [20, false, "keep-last"],
    ]);
  });

  it("holds against a cap of one's own that would take everything", () => {
    const greedy = {
      keeps: [],
      caps: [
        {
          covers: () => true,
          evict: (
            kept: readonly HistoryEntry[],
            _: unknown,
            drop: (entry: HistoryEntry, reason: Reason) => void,
          ) => {
            for (const entry of kept) drop(entry, { code: "greedy", message: "It is there." });
          },
        },
      ],
    };
    expect(sequences(planRetention(history(5), greedy, T0, { headId: "agent:2" }).keep)).toEqual([2, 5]);
  });

  it("survives a lineage that runs in a circle", () => {
    const headers = [header(1, { parentId: "agent:2" }), header(2, { parentId: "agent:1" }), header(3)];
    const plan = planRetention(headers, keepLast(1), T0, {
      headId: "agent:2",
      damagedIds: ["agent:1", "agent:2"],
    });
    expect(sequences(plan.keep)).toEqual([1, 2, 3]);
  });

  it("keeps the newest when none is intact", () => {
    const plan = planRetention(history(3), forName("none", keepLast(1)), T0, {
      damagedIds: ["agent:1", "agent:2", "agent:3"],
    });
    expect(plan.keep.at(-1)?.reasons[0]?.message).toContain("none is intact");
  });
});

describe("the default policy", () => {
  it("keeps the latest 3 routine ones, 7 days of recovery, and a pre_operation until its operation is done", () => {
    const names = [
      "recovery",
      "recovery",
      "pre_operation",
      "routine",
      "routine",
      "routine",
      "routine",
      "routine",
    ];
    const headers = names.map((name, i) =>
      header(i + 1, { name, timeMs: T0 + (i === 0 ? -8 * DAY_MS : i * 60_000) }),
    );
    const by = (context: object) => {
      const plan = planRetention(headers, defaultPolicy(), T0 + 600_000, context);
      // Stepping stones of the anchors keep more of so short a history; what each rule keeps is told by its code.
      return plan.keep
        .filter((d) => d.reasons.some((r) => r.code.startsWith("keep")))
        .map((d) => d.header.sequence);
    };
    expect(by({ openGuards: [{ checkpointId: "agent:3" }] })).toEqual([2, 3, 6, 7, 8]);
    expect(by({ releasedIds: ["agent:3"] })).toEqual([2, 6, 7, 8]);
  });

  it("keeps the latest 10 and the last 7 days of any name that somebody chose, at most 1,000 together", () => {
    const old = Array.from({ length: 30 }, (_, i) =>
      header(i + 1, { name: "milestone", timeMs: T0 - 60 * DAY_MS }),
    );
    const recent = Array.from({ length: 1_200 }, (_, i) => header(i + 31, { name: `step-${i}`, timeMs: T0 }));
    const plan = planRetention([...old, ...recent], defaultPolicy(), T0);
    expect(plan.keep).toHaveLength(1_000);
    expect(plan.drop.at(-1)?.reasons[0]?.code).toBe("max-count");
    const few = planRetention([...old, ...recent.slice(0, 20)], forName("milestone", defaultPolicy()), T0);
    const milestones = few.keep.filter((d) => d.reasons.some((r) => r.code === "keep-last"));
    expect(sequences(milestones)).toEqual([21, 22, 23, 24, 25, 26, 27, 28, 29, 30]);
  });
});

describe("refusals", () => {
  it("refuses a policy without a rule", () => {
    expect(codeOf(() => anyOf())).toBe("CKPT_EMPTY_POLICY");
    expect(codeOf(() => planRetention(history(3), { keeps: [], caps: [] }, T0))).toBe("CKPT_EMPTY_POLICY");
  });

  it("refuses counts and durations that mean nothing", () => {
    for (const make of [
      () => keepLast(0),
      () => keepLast(Number.NaN),
      () => maxCount(-1),
      () => maxBytes(0.5),
      () => keepWithin({}),
      () => keepWithin({ days: -1 }),
      () => keepWithin({ days: Number.POSITIVE_INFINITY }),
      () => keepWithin({ weeks: 1 } as object),
      () => planRetention(history(2), keepFirst(), Number.NaN),
    ]) {
      expect(codeOf(make)).toBe("CKPT_INVALID_ARGUMENT");
    }
  });

  it("refuses headers of two agents, and one given twice", () => {
    const [a, b] = [header(1), header(2, { agentId: "other" })];
    expect(codeOf(() => planRetention([a, b], keepLast(1), T0))).toBe("CKPT_INVALID_ARGUMENT");
    expect(codeOf(() => planRetention([a, a], keepLast(1), T0))).toBe("CKPT_INVALID_ARGUMENT");
    const renumbered = header(2, { id: a.id });
    expect(codeOf(() => planRetention([a, renumbered], keepLast(1), T0))).toBe("CKPT_INVALID_ARGUMENT");
  });
});

describe("scale and display", () => {
  it("plans nothing for nothing", () => {
    expect(planRetention([], keepLast(1), T0)).toMatchObject({ keep: [], drop: [], suspended: null });
  });

  it("plans 100,000 headers", () => {
    const headers = history(100_000, (n) => `name-${n % 1_000}`);
    const plan = planRetention(headers, defaultPolicy(), T0 + 100_000 * 60_000);
    expect(plan.keep.length + plan.drop.length).toBe(100_000);
    expect(plan.keep.length).toBeGreaterThanOrEqual(1_000);
  });

  it("explains itself as a table that cannot steer a terminal", () => {
    const headers = [header(1, { name: "\u001b[2Jevil" }), header(2, { name: "x".repeat(100) }), header(3)];
    const lines = explain(planRetention(headers, keepLast(1), T0)).split("\n");
    expect(lines[0]).toBe("keep 1, drop 2 of 3");
    expect(lines[1]).toMatch(/^action +seq +id +name +time +why$/);
    expect(lines[2]).toMatch(/^drop +1 +agent:1 +\\u\{1b\}\[2Jevil .*no-rule: No rule keeps it\.$/);
    expect(lines[3]).toContain(`${"x".repeat(37)}... `);
    expect(lines[4]).toMatch(/^keep +3 .*newest-intact: .* keep-last: It is the latest\.$/);
  });
});
