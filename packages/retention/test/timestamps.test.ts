import { keepLast, keepWithin, planRetention } from "@ckpt/retention";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DAY_MS, header, history, sequences, T0 } from "./headers.js";

/** The instant that a plan reads, measured by being the newest of all. */
const readAs = (timestamp: string) => planRetention([header(1, { timestamp })], keepLast(1), 0).nowMs;

describe("a timestamp, far from Greenwich", () => {
  const zone = process.env.TZ;
  beforeEach(() => {
    process.env.TZ = "America/New_York";
    expect(new Date(T0).getTimezoneOffset()).toBe(300);
  });
  afterEach(() => {
    process.env.TZ = zone ?? "UTC";
  });

  it("is read as UTC when it has no offset, however date and time are set apart", () => {
    for (const timestamp of [
      "2025-01-01 10:00:00",
      "2025-01-01t10:00:00",
      "2025-01-01T10:00:00",
      "2025-01-01 10:00",
      "2025-01-01 10:00:00.000000",
      "2025-01-01 10:00:00,000",
    ]) {
      expect([timestamp, readAs(timestamp)]).toEqual([timestamp, Date.UTC(2025, 0, 1, 10)]);
    }
    expect(readAs("2025-01-01")).toBe(Date.UTC(2025, 0, 1));
    expect(readAs("2025-01-01 10:00:00.25")).toBe(Date.UTC(2025, 0, 1, 10, 0, 0, 250));
  });

  it("is read by its offset when it has one", () => {
    for (const timestamp of [
      "2025-01-01 10:00:00z",
      "2025-01-01T11:30:00+01:30",
      "2025-01-01 11:30:00+0130",
      "2025-01-01 12:00:00+02",
      "2025-01-01T05:00:00-05:00",
      "2025-01-01T10:19:32+00:19:32",
    ]) {
      expect([timestamp, readAs(timestamp)]).toEqual([timestamp, Date.UTC(2025, 0, 1, 10)]);
    }
  });

  it("is not guessed at when it is not ISO 8601: what is that old is kept", () => {
    for (const timestamp of ["Jan 1 2025 10:00", "01-01-2025", "1/2/2025", "yesterday", ""]) {
      const plan = planRetention([header(1, { timestamp }), header(2)], keepWithin({ days: 1 }), T0);
      expect([timestamp, ...sequences(plan.keep)]).toEqual([timestamp, 1, 2]);
      expect(plan.keep[0]?.reasons[0]?.message).toContain("cannot be read");
    }
  });
});

describe("a newest timestamp that cannot be read", () => {
  const headers = [...history(5), header(6, { timestamp: "garbage" })];
  const week = keepWithin({ days: 7 });

  it("leaves the newest that can to tell a clock that jumped", () => {
    const plan = planRetention(headers, week, T0 + 3_650 * DAY_MS);
    expect(plan.suspended).toMatchObject({ code: "clock-jump" });
    expect(plan.dropIds).toEqual([]);
  });

  it("leaves the newest that can to measure ages from, and keeps it for that", () => {
    const plan = planRetention(headers, keepLast(1), T0);
    expect(plan.nowMs).toBe(T0 + 5 * 60_000);
    expect(plan.keep.map((d) => [d.header.sequence, d.isProtected, d.reasons[0]?.code])).toEqual([
      [5, true, "newest-time"],
      [6, true, "newest-intact"],
    ]);
  });

  it("is that of an intact checkpoint before that of a damaged one", () => {
    const read = (damagedIds: string[]) => planRetention(headers, week, T0, { damagedIds }).nowMs;
    expect(read(["agent:5"])).toBe(T0 + 4 * 60_000);
    expect(read(headers.slice(0, 5).map((h) => h.id))).toBe(T0 + 5 * 60_000);
  });

  it("leaves the wall clock when none can be read", () => {
    const unreadable = headers.map((h) => ({ ...h, timestamp: "garbage" }));
    expect(planRetention(unreadable, week, T0)).toMatchObject({ nowMs: T0, suspended: null, dropIds: [] });
  });
});
