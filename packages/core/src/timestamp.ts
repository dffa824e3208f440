import { CkptError } from "@ckpt/errors";
import { inWords } from "./in-words.js";

/** A moment as callers may give it: a `Date`, milliseconds since 1970, or ISO 8601 with an offset. */
export type TimeInput = Date | number | string;

/** The years 1 to 9999, whose whole milliseconds every part of the format can hold. */
const FIRST_MS = -62_135_596_800_000;
const LAST_MS = 253_402_300_799_999;

/** The longest text that {@link parseTimestamp} looks at. */
const MAX_LENGTH = 64;

const ISO =
  /^(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(Z|([+-])(\d\d):?(\d\d)(?::?(\d\d)(?:\.(\d{1,6}))?)?)$/;

/**
 * The instant of an ISO 8601 text, in microseconds since 1970; digits beyond microseconds are cut off, as Python does.
 * Undefined when it is not a date and time of the calendar (years 1 to 9999) with an offset: a time without an offset is
 * no instant.
 */
export function parseTimestamp(text: string): bigint | undefined {
  if (text.length > MAX_LENGTH) return undefined;
  const match = ISO.exec(text);
  if (match === null) return undefined;
  const part = (index: number) => Number(match[index] ?? 0);
  const [year, month, day] = [part(1), part(2), part(3)];
  const [hour, minute, second] = [part(4), part(5), part(6)];
  if (year < 1 || hour > 23 || minute > 59 || second > 59) return undefined;
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  // A day that the month does not have rolls over into the next one.
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return undefined;
  const [offsetHours, offsetMinutes, offsetSeconds] = [part(10), part(11), part(12)];
  if (offsetHours > 23 || offsetMinutes > 59 || offsetSeconds > 59) return undefined;
  const offset = micros(offsetHours, offsetMinutes, offsetSeconds, match[13]);
  const local = BigInt(date.getTime()) * 1000n + micros(hour, minute, second, match[7]);
  return match[9] === "-" ? local + offset : local - offset;
}

function micros(hours: number, minutes: number, seconds: number, fraction: string | undefined): bigint {
  const whole = (hours * 60 + minutes) * 60 + seconds;
  return BigInt(whole) * 1_000_000n + BigInt((fraction ?? "").padEnd(6, "0").slice(0, 6));
}

/**
 * A moment as the reference writes its own: ISO 8601 in UTC with `+00:00`, and six digits of microseconds unless they are zero.
 * `epochMs` may have a fraction.
 */
export function formatTimestamp(epochMs: number): string {
  if (Number.isInteger(epochMs) && FIRST_MS <= epochMs && epochMs <= LAST_MS) {
    const text = new Date(epochMs).toISOString();
    return `${text.slice(0, 19)}${epochMs % 1000 === 0 ? "" : `${text.slice(19, 23)}000`}+00:00`;
  }
  return formatMicroseconds(epochMs);
}

function formatMicroseconds(epochMs: number): string {
  const instant = toMicroseconds(epochMs, "The clock's time");
  const sinceMs = ((instant % 1000n) + 1000n) % 1000n;
  const text = new Date(Number((instant - sinceMs) / 1000n)).toISOString();
  const fraction = text.slice(20, 23) + String(sinceMs).padStart(3, "0");
  const written = `${text.slice(0, 19)}${fraction === "000000" ? "" : `.${fraction}`}+00:00`;
  // Outside the years 1 to 9999 nothing here would read it back.
  if (parseTimestamp(written) !== instant) throw notATime(epochMs, "The clock's time");
  return written;
}

/** The instant of a caller's time, in microseconds since 1970; throws `CKPT_INVALID_ARGUMENT`. */
export function toMicroseconds(time: TimeInput, what: string): bigint {
  const instant =
    typeof time === "string"
      ? parseTimestamp(time)
      : time instanceof Date
        ? fromMilliseconds(time.getTime())
        : fromMilliseconds(time);
  if (instant === undefined) throw notATime(time, what);
  return instant;
}

function notATime(time: unknown, what: string): CkptError {
  return new CkptError("CKPT_INVALID_ARGUMENT", {
    message: `${what} is not a point in time: ${inWords(time)}.`,
    hint: 'Give a valid Date, milliseconds since 1970, or ISO 8601 with an offset, such as "2026-01-31T09:00:00+00:00".',
    details: { what },
  });
}

/** `Date` reaches 8.64e15 ms to either side; beyond it there is no calendar to compare with. */
function fromMilliseconds(value: unknown): bigint | undefined {
  if (typeof value !== "number" || !(Math.abs(value) <= 8.64e15)) return undefined;
  const whole = Math.floor(value);
  return BigInt(whole) * 1000n + BigInt(Math.round((value - whole) * 1000));
}
