const MAX_PATHS = 512;
const MAX_DEPTH = 6;
const MAX_ELEMENTS = 32;

/** One place in a state: what stands there now. */
export interface Leaf {
  readonly type: string;
  /** A number's value, or a string's or array's length. */
  readonly size: number | undefined;
}

/**
 * The places of a state and what stands at each: `budget`, `tasks[].id`. Elements of one array share a path. Bounded: at most 512
 * paths, six levels, 32 elements of each array; accessors are not run.
 */
export function flatten(state: unknown): Map<string, Leaf> {
  const leaves = new Map<string, Leaf>();
  walk("", state, 0, leaves);
  return leaves;
}

function walk(path: string, value: unknown, depth: number, leaves: Map<string, Leaf>): void {
  if (leaves.size >= MAX_PATHS) return;
  const type = typeOf(value);
  if (path !== "") leaves.set(path, merge(leaves.get(path), { type, size: sizeOf(value) }));
  if (depth >= MAX_DEPTH) return;
  if (Array.isArray(value)) {
    for (const element of value.slice(0, MAX_ELEMENTS)) walk(`${path}[]`, element, depth + 1, leaves);
  } else if (type === "object") {
    for (const [key, inner] of ownValues(value as object))
      walk(path === "" ? key : `${path}.${key}`, inner, depth + 1, leaves);
  }
}

function* ownValues(object: object): Iterable<[string, unknown]> {
  for (const key of Object.keys(object)) {
    const property = Object.getOwnPropertyDescriptor(object, key);
    if (property !== undefined && "value" in property) yield [key, property.value];
  }
}

/** Elements of different types make a mixed place, whose type never flips. */
function merge(before: Leaf | undefined, now: Leaf): Leaf {
  if (before === undefined || before.type === now.type) return now;
  return { type: "mixed", size: undefined };
}

function typeOf(value: unknown): string {
  if (value === null || value === undefined) return "null";
  if (Array.isArray(value)) return "array";
  if (typeof value !== "object") return typeof value;
  const name: unknown = Object.getPrototypeOf(value)?.constructor?.name;
  return typeof name !== "string" || name === "Object" ? "object" : name;
}

function sizeOf(value: unknown): number | undefined {
  if (typeof value === "number") return Number.isFinite(value) ? value : undefined;
  return typeof value === "string" || Array.isArray(value) ? value.length : undefined;
}
