import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { CheckpointManager } from "@ckpt/core";
import { describe, expect, it } from "vitest";

/** Files that the reference's own `export()` and `get_summary()` wrote. They are not JSON: Python writes NaN. */
const fixture = (name: string) => readFileSync(new URL(`./fixtures/${name}.pyjson`, import.meta.url), "utf8");
const keepAll = { maxCheckpoints: Number.POSITIVE_INFINITY, compressAfter: Number.POSITIVE_INFINITY };

describe("files that the reference wrote", () => {
  it("come in with every value as Python meant it", async () => {
    const manager = new CheckpointManager<unknown>({ sessionId: "session-1" });
    expect(await manager.importCheckpoints(fixture("reference-values"))).toBe(8);
    const data = await Promise.all((await manager.getAll()).map((checkpoint) => checkpoint.data()));
    expect(data[0]).toStrictEqual({ task: 7, title: "Überprüfung der 日本語 🚀", done: false, owner: null });
    expect(data[1]).toStrictEqual({
      third: 1 / 3,
      tiny: 5e-324,
      huge: Number.MAX_VALUE,
      one: 1,
      minus_zero: -0,
      float_beyond_2_53: 2 ** 60,
      e: 1e22,
    });
    expect(data[2]).toStrictEqual({
      nan: Number.NaN,
      inf: Number.POSITIVE_INFINITY,
      ninf: Number.NEGATIVE_INFINITY,
      in_list: [Number.NaN, 1],
    });
    expect(data[3]).toStrictEqual({
      max_safe: Number.MAX_SAFE_INTEGER,
      two_53: 2n ** 53n,
      beyond: 2n ** 53n + 1n,
      negative: -(2n ** 64n),
      long: 10n ** 60n + 7n,
      zero: 0,
    });
    const shapes = data[4] as Record<string, unknown>;
    expect(Object.keys(shapes)).toEqual([
      "empty_list",
      "empty_dict",
      "nested",
      "",
      "$ckpt",
      "v",
      "__proto__",
      "constructor",
    ]);
    expect(shapes.$ckpt).toBe("Date");
    expect(shapes.nested).toStrictEqual({ a: [{ b: [[1, 2], []] }] });
    expect(Object.getOwnPropertyDescriptor(shapes, "__proto__")?.value).toStrictEqual({ polluted: true });
    expect(data[5]).toStrictEqual({
      controls: '\u0000\u001f\u007f\n\t"\\/',
      lone: "\ud83d",
      lone_low: "\udc00x",
      line: "\u2028",
      "key \ud800": 1,
    });
    expect(data[6]).toStrictEqual({ "1": "text key" });
    expect(data[7]).toBe("a state may be any JSON");
  });

  it("keep names, numbers, metadata and timestamps, byte for byte", async () => {
    const manager = new CheckpointManager<unknown>({ sessionId: "session-1" });
    await manager.importCheckpoints(fixture("reference-values"));
    const all = await manager.getAll();
    expect(all.map(({ id, sequence }) => [id, sequence])).toEqual(
      Array.from({ length: 8 }, (_, i) => [`session-1:${i + 1}`, i + 1]),
    );
    expect(all.map(({ timestamp }) => timestamp)).toEqual([
      "2026-01-31T09:00:00+00:00",
      "2026-01-31T09:00:37.123457+00:00",
      "2026-01-31T09:01:14.246914+00:00",
      "2026-01-31T09:01:51.370371+00:00",
      "2026-01-31T09:02:28.493828+00:00",
      "2026-01-31T12:30:00+05:30",
      "2026-01-31T00:00:00.000250-08:00",
      "2026-01-31T09:04:19.864199+00:00",
    ]);
    expect(all[0]?.metadata).toEqual({ by: "planner" });
    expect(all[2]?.metadata).toEqual({
      rate: { $ckpt: "number", v: "NaN" },
      limit: { $ckpt: "number", v: "Infinity" },
    });
    expect(all[3]?.metadata).toEqual({ row: { $ckpt: "bigint", v: "9223372036854775808" } });
    expect(all[6]?.metadata).toEqual({ $ckpt: "metadata", v: ["not", "a", "dict"] });
    expect((await manager.create("next", {})).id).toBe("session-1:9");
    expect(
      (await manager.getBetween("2026-01-31T07:00:00Z", "2026-01-31T08:00:00.000250Z")).map(({ id }) => id),
    ).toEqual(["session-1:6", "session-1:7"]);
  });

  it("sum up as the reference sums them up", async () => {
    const manager = new CheckpointManager<unknown>({ sessionId: "session-2", ...keepAll });
    await manager.importCheckpoints(fixture("reference-thinned"));
    expect(await manager.getSummary()).toEqual(JSON.parse(fixture("reference-thinned-summary")));
    const last = (await manager.getAll()).at(-1);
    const next = await manager.create("step", {});
    expect(next.parentId).toBe(last?.id);
    expect(next.id).toBe("session-2:71");
  });

  it("come in from an empty history, and in a text with the reference's own defect only when renumbered", async () => {
    const manager = new CheckpointManager<unknown>({ sessionId: "s" });
    expect(await manager.importCheckpoints(fixture("reference-empty"))).toBe(0);
    const shared = fixture("reference-shared-ids");
    await expect(manager.importCheckpoints(shared)).rejects.toMatchObject({ code: "CKPT_CONFLICT" });
    expect(await manager.importCheckpoints(shared, { onConflict: "renumber" })).toBe(4);
    const all = await manager.getAll();
    expect(new Set(all.map(({ id }) => id)).size).toBe(4);
    expect(await Promise.all(all.map((checkpoint) => checkpoint.data()))).toEqual([
      { n: 100 },
      { n: 1 },
      { n: 2 },
      { n: 3 },
    ]);
  });
});

/** Reads two documents with Python's json and compares them, NaN equal to NaN and 1 different from 1.0 only by value. */
const COMPARE = `
import json, sys, math
from datetime import datetime
def same(a, b):
    if isinstance(a, float) and isinstance(b, float) and math.isnan(a) and math.isnan(b): return True
    if isinstance(a, dict) and isinstance(b, dict):
        return list(a) == list(b) and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, float) and isinstance(b, float):
        return a == b and math.copysign(1, a) == math.copysign(1, b)
    return a == b and isinstance(a, bool) == isinstance(b, bool)
theirs, ours = (json.loads(text) for text in json.loads(sys.stdin.read()))
for entry in ours: datetime.fromisoformat(entry["timestamp"])
print("same" if same(theirs, ours) else "different: " + repr([(a, b) for a, b in zip(theirs, ours) if not same(a, b)]))
`;
const python = spawnSync("python3", ["--version"], { encoding: "utf8" });
const hasPython = python.error === undefined && python.status === 0;

describe(`what this package exports${hasPython ? "" : " (skipped: no python3)"}`, () => {
  it.runIf(hasPython).each(["reference-values", "reference-thinned", "reference-empty"])(
    "is to Python's json the same as the %s that came in",
    async (name) => {
      const manager = new CheckpointManager<unknown>(keepAll);
      await manager.importCheckpoints(fixture(name));
      const input = JSON.stringify([fixture(name), await manager.export()]);
      const run = spawnSync("python3", ["-c", COMPARE], { input, encoding: "utf8" });
      expect(run.stderr).toBe("");
      expect(run.stdout.trim()).toBe("same");
    },
  );

  it.runIf(hasPython)("is told apart by that comparison when a value differs", () => {
    const input = JSON.stringify([
      '[{"timestamp": "2026-01-31T09:00:00+00:00", "a": 0.0}]',
      '[{"timestamp": "2026-01-31T09:00:00+00:00", "a": -0.0}]',
    ]);
    const run = spawnSync("python3", ["-c", COMPARE], { input, encoding: "utf8" });
    expect(run.stdout).toContain("different");
  });
});
