import { type ProcessIdentity, parseProcessIdentity } from "./process-identity.js";

/** What a lease file says of its holder. */
export interface LeaseHolder extends ProcessIdentity {
  readonly epoch: number;
  /** Who holds it within the process, as its owner named it. */
  readonly writer: string | undefined;
  /** What the lease is for, as its owner named it. */
  readonly subject: string | undefined;
  /** When it was acquired, ISO 8601; for people, never compared. */
  readonly since: string;
  /** Which lock file (device and inode) it holds with an OS lock; undefined where there are no OS locks. */
  readonly osLock: string | undefined;
}

export const MAX_LEASE_BYTES = 32 * 1024;
export const MAX_WRITER_LENGTH = 256;
export const MAX_SUBJECT_LENGTH = 2048;

/** The bytes of a lease file: one line of JSON. */
export function encodeLease(holder: LeaseHolder): Buffer {
  return Buffer.from(`${JSON.stringify({ format: 1, ...holder })}\n`);
}

/** A lease file's holder; undefined when the bytes make no sense, or speak of another epoch. */
export function parseLease(bytes: Uint8Array, epoch: number): LeaseHolder | undefined {
  let json: unknown;
  try {
    json = JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch {
    return undefined; // the caller reports a lease that cannot be read
  }
  const identity = parseProcessIdentity(json);
  if (identity === undefined) return undefined;
  const { format, epoch: written, writer, subject, since, osLock } = json as Record<string, unknown>;
  if (format !== 1 || written !== epoch) return undefined;
  return {
    ...identity,
    epoch,
    writer: short(writer, MAX_WRITER_LENGTH),
    subject: short(subject, MAX_SUBJECT_LENGTH),
    since: short(since, 64) ?? "unknown",
    osLock: short(osLock, 64),
  };
}

function short(value: unknown, most: number): string | undefined {
  return typeof value === "string" && value.length <= most ? value : undefined;
}
