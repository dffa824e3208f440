import { createHash } from "node:crypto";

/** Longest encoded name before the hash takes over; file names end at 255 bytes, and a suffix needs room. */
const MAX_NAME_BYTES = 180;

const PLAIN = /^[a-z0-9_-]$/;

/**
 * The directory name for an agent id: two ids never share one, not even where case does not count, and no name is hidden,
 * reserved (`CON`) or leaves its directory. See "Agent ids in file names" in docs/format.md.
 */
export function encodeAgentName(agentId: string): string {
  let name = "a.";
  for (const byte of Buffer.from(agentId, "utf8")) {
    const char = String.fromCharCode(byte);
    name += PLAIN.test(char) ? char : `%${byte.toString(16).padStart(2, "0")}`;
  }
  if (name.length <= MAX_NAME_BYTES) return name;
  return `h.${createHash("sha256").update(agentId, "utf8").digest("hex")}`;
}
