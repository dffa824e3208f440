import { invalidArgument } from "./errors.js";

/** A length of time: the sum of its fields. At least one is needed, none may be negative, and a day has 24 hours. */
export interface Duration {
  readonly days?: number;
  readonly hours?: number;
  readonly minutes?: number;
  readonly seconds?: number;
  readonly milliseconds?: number;
}

const UNIT_MS = {
  days: 86_400_000,
  hours: 3_600_000,
  minutes: 60_000,
  seconds: 1_000,
  milliseconds: 1,
} as const satisfies Record<keyof Duration, number>;

const isUnit = (key: string): key is keyof Duration => Object.hasOwn(UNIT_MS, key);

/**
 * The duration in milliseconds.
 *
 * @throws CKPT_INVALID_ARGUMENT when a field is unknown, negative or not finite, or when there is none.
 */
export function durationMs(duration: Duration): number {
  let totalMs = 0;
  let fields = 0;
  for (const [unit, amount] of Object.entries(duration)) {
    if (!isUnit(unit) || typeof amount !== "number" || !Number.isFinite(amount) || amount < 0) {
      throw invalidArgument(
        `A duration cannot have ${JSON.stringify(unit)}: ${String(amount)}.`,
        `Use finite, non-negative numbers in ${Object.keys(UNIT_MS).join(", ")}.`,
      );
    }
    totalMs += amount * UNIT_MS[unit];
    fields += 1;
  }
  if (fields === 0) throw invalidArgument("A duration needs at least one field.", "For example { days: 7 }.");
  return totalMs;
}

/** `7 days 2 hours`: the duration for people, the largest two units. */
export function describeMs(ms: number): string {
  const parts: string[] = [];
  let restMs = ms;
  for (const [unit, size] of Object.entries(UNIT_MS)) {
    const amount = Math.floor(restMs / size);
    if (amount === 0) continue;
    restMs -= amount * size;
    parts.push(`${amount} ${amount === 1 ? unit.slice(0, -1) : unit}`);
    if (parts.length === 2) break;
  }
  return parts.length === 0 ? "0 seconds" : parts.join(" ");
}
