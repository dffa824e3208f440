const DAY_MS = 86_400_000;

/** A calendar unit of the rotation. */
export type CalendarUnit = "hourly" | "daily" | "weekly" | "monthly" | "yearly";

/** The number of the ISO 8601 week since the one of 29 December 1969 (weeks begin on Monday). */
function isoWeek(timeMs: number): number {
  // 1 January 1970 was a Thursday: three days into its week.
  return Math.floor((Math.floor(timeMs / DAY_MS) + 3) / 7);
}

/** The calendar bucket, in UTC, that a time falls into: equal numbers, same hour (day, ISO week, month, year). */
export const BUCKET_OF: Record<CalendarUnit, (timeMs: number) => number> = {
  hourly: (timeMs) => Math.floor(timeMs / 3_600_000),
  daily: (timeMs) => Math.floor(timeMs / DAY_MS),
  weekly: isoWeek,
  monthly: (timeMs) => {
    const date = new Date(timeMs);
    return date.getUTCFullYear() * 12 + date.getUTCMonth();
  },
  yearly: (timeMs) => new Date(timeMs).getUTCFullYear(),
};
