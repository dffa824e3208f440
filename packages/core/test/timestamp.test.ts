import { formatTimestamp, parseTimestamp, toMicroseconds } from "@ckpt/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

const runs = { numRuns: Number(process.env.CKPT_PROPERTY_RUNS ?? 300) };

describe("timestamps", () => {
  it("are written as Python's isoformat() writes them", () => {
    expect(formatTimestamp(Date.UTC(2026, 0, 31, 9))).toBe("2026-01-31T09:00:00+00:00");
    expect(formatTimestamp(Date.UTC(2026, 0, 31, 9) + 5)).toBe("2026-01-31T09:00:00.005000+00:00");
    expect(formatTimestamp(Date.UTC(2026, 0, 31, 9) + 0.25)).toBe("2026-01-31T09:00:00.000250+00:00");
    expect(formatTimestamp(-0.25)).toBe("1969-12-31T23:59:59.999750+00:00");
  });

  it.each([Number.NaN, Date.UTC(10_000, 0), -62_167_219_200_001, -62_167_219_200_000])(
    "are not written for a clock that says %s",
    (now) => {
      expect(() => formatTimestamp(now)).toThrow(expect.objectContaining({ code: "CKPT_INVALID_ARGUMENT" }));
    },
  );

  it("are read back as the instant that was written", () => {
    const moment = fc.date({ min: new Date("0001-01-01"), max: new Date("9999-12-31"), noInvalidDate: true });
    fc.assert(
      fc.property(moment, (date) => {
        expect(parseTimestamp(formatTimestamp(date.getTime()))).toBe(BigInt(date.getTime()) * 1000n);
        expect(parseTimestamp(date.toISOString())).toBe(BigInt(date.getTime()) * 1000n);
      }),
      runs,
    );
  });

  it("are compared by instant, to the microsecond, whatever their offset", () => {
    const instant = parseTimestamp("2026-01-31T09:00:00.000250+00:00");
    expect(parseTimestamp("2026-01-31T14:30:00.000250+05:30")).toBe(instant);
    expect(parseTimestamp("2026-01-31T01:00:00.000250-0800")).toBe(instant);
    expect(parseTimestamp("2026-01-31 09:00:00.00025Z")).toBe(instant);
    expect(parseTimestamp("2026-01-31T09:00:00.000250999Z")).toBe(instant);
    expect(parseTimestamp("2026-01-31T09:00:10.000250+00:00:10")).toBe(instant);
    expect(parseTimestamp("2026-01-31T09:00:00.000251+00:00")).toBe(instant! + 1n);
    expect(parseTimestamp("9999-12-31T23:59:59.999999Z")).toBe(253402300799999999n);
    expect(parseTimestamp("0001-01-01T00:00:00Z")).toBe(-62135596800000000n);
  });

  it.each([
    "",
    "2026-01-31",
    "2026-01-31T09:00:00",
    "2026-02-29T00:00:00Z",
    "2026-13-01T00:00:00Z",
    "2026-00-01T00:00:00Z",
    "2026-01-31T24:00:00Z",
    "2026-01-31T09:00:60Z",
    "2026-01-31T09:00:00+24:00",
    "0000-01-01T00:00:00Z",
    "+002026-01-31T09:00:00Z",
    "2026-01-31T09:00:00.Z",
    "2026-01-31T09:00:00Z\n",
    "２０２６-01-31T09:00:00Z",
    `2026-01-31T09:00:00.${"1".repeat(1e6)}Z`,
  ])("are refused when they are no instant: %.40s", (text) => {
    expect(parseTimestamp(text)).toBeUndefined();
  });

  it("take a leap day in a leap year", () => {
    expect(parseTimestamp("2024-02-29T00:00:00Z")).toBe(BigInt(Date.UTC(2024, 1, 29)) * 1000n);
  });

  it.each([Number.POSITIVE_INFINITY, 9e15, new Date(Number.NaN), "no", null, {}])("refuse %s", (value) => {
    expect(() => toMicroseconds(value as never, "time")).toThrow(
      expect.objectContaining({ code: "CKPT_INVALID_ARGUMENT" }),
    );
  });
});
