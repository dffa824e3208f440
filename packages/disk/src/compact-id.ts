/** A checkpoint id as entries write it: its number where it is the agent id, a colon and a number; 0 for none; else the text. */
export function compactId(agentId: string, id: string | null): number | string {
  if (id === null) return 0;
  return canonicalNumber(agentId, id) ?? id;
}

/** The reverse; undefined for anything that `compactId` does not write. */
export function expandId(agentId: string, value: unknown): string | null | undefined {
  if (value === 0) return null;
  if (typeof value === "string") return value === "" ? undefined : value;
  return Number.isSafeInteger(value) && (value as number) > 0 ? `${agentId}:${value as number}` : undefined;
}

/** The number of an id of the form `agentId:number`, else undefined. */
export function canonicalNumber(agentId: string, id: string): number | undefined {
  const at = agentId.length;
  if (id.length <= at + 1 || id.length > at + 17 || id.charCodeAt(at) !== 58 || !id.startsWith(agentId))
    return undefined;
  let number = 0;
  for (let i = at + 1; i < id.length; i++) {
    const digit = id.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9 || (digit === 0 && i === at + 1)) return undefined;
    number = number * 10 + digit;
  }
  return Number.isSafeInteger(number) ? number : undefined;
}
