/** What stores write: `Date.parse` reads it alike everywhere, and faster. */
const AS_WRITTEN = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/;

const ISO =
  /^((?:[+-]\d\d)?\d{4}(?:-\d\d(?:-\d\d)?)?)(?:[T ](\d\d:\d\d)(:\d\d)?(?:[.,](\d+))?(?:Z|([+-])(\d\d)(?::?(\d\d)(?::?(\d\d)(?:\.\d+)?)?)?)?)?$/i;

/**
 * An ISO 8601 time in milliseconds since 1970, NaN for anything else. A time without an offset is read as UTC, so that a plan does
 * not depend on where it is made; `Date.parse` takes some forms for local time.
 */
export function parseTime(timestamp: string): number {
  if (AS_WRITTEN.test(timestamp)) return Date.parse(timestamp);
  const match = ISO.exec(timestamp);
  if (match === null) return Number.NaN;
  const [, day, minute = "00:00", second = ":00", fraction = "0", sign, hours = 0, minutes = 0, seconds = 0] =
    match;
  const offsetMs = ((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1_000;
  const localMs = Date.parse(`${day}T${minute}${second}.${fraction.slice(0, 3)}Z`);
  return sign === "-" ? localMs + offsetMs : localMs - offsetMs;
}
