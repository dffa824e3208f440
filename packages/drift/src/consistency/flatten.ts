const MAX_PATHS = 512;
const MAX_DEPTH = 6;
const MAX_ELEMENTS = 32;
const MAX_VALUES = 10_000;

/** One place in a state: what stands there now. */
export interface Leaf {
  readonly type: string;
  /** A number's value, or a string's or array's length. */
  readonly size: number | undefined;
}

/** The places of a state that were looked at, and where something was left out. */
export class Places {
  readonly #leaves = new Map<string, Leaf>();
  /** Places of which not all elements or fields were looked at. */
  readonly #cut = new Set<string>();
  #values = 0;

  /** Each place that was seen, and what stands there. */
  get seen(): ReadonlyMap<string, Leaf> {
    return this.#leaves;
  }

  /** Whether the place may be in the state although it was not seen: it lies below one that was not looked at in full. */
  mayHide(path: string): boolean {
    if (this.#cut.size === 0 || this.#leaves.has(path)) return false;
    if (this.#cut.has("")) return true;
    for (const above of pathsAbove(path)) if (this.#cut.has(above)) return true;
    return false;
  }

  /** Looks at a value and all below it, as far as there is room; says whether there was room for itself. */
  look(path: string, value: unknown, depth: number): boolean {
    const isRoot = path === "";
    if (++this.#values > MAX_VALUES) return false;
    if (!isRoot && this.#leaves.size >= MAX_PATHS && !this.#leaves.has(path)) return false;
    const type = typeOf(value);
    if (!isRoot) this.#leaves.set(path, merge(this.#leaves.get(path), { type, size: sizeOf(value) }));
    if (type !== "array" && type !== "object") return true;
    if (depth >= MAX_DEPTH || !this.#lookBelow(path, value as object, depth)) this.#cut.add(path);
    return true;
  }

  #lookBelow(path: string, value: object, depth: number): boolean {
    if (Array.isArray(value)) {
      for (const element of value.slice(0, MAX_ELEMENTS))
        if (!this.look(`${path}[]`, element, depth + 1)) return false;
      return value.length <= MAX_ELEMENTS;
    }
    for (const [key, inner] of ownValues(value))
      if (!this.look(path === "" ? key : `${path}.${key}`, inner, depth + 1)) return false;
    return true;
  }
}

/**
 * The places of a state and what stands at each: `budget`, `tasks[].id`. Elements of one array share a path. Bounded: at most 512
 * paths, six levels, 32 elements of each array, 10,000 values in all; accessors are not run.
 */
export function flatten(state: unknown): Places {
  const places = new Places();
  places.look("", state, 0);
  return places;
}

/** The places that a path may lie below, the nearest first. A key may hold a dot, so some of them may be no places. */
export function* pathsAbove(path: string): Iterable<string> {
  for (let end = path.length - 1; end > 0; end--)
    if (path[end] === "." || path.startsWith("[]", end)) yield path.slice(0, end);
}

function* ownValues(object: object): Iterable<[string, unknown]> {
  for (const key of Object.keys(object)) {
    const property = Object.getOwnPropertyDescriptor(object, key);
    if (property !== undefined && "value" in property) yield [key, property.value];
  }
}

/** Elements of different types make a mixed place, whose type never flips; an element that is null has the type of the others. */
function merge(before: Leaf | undefined, now: Leaf): Leaf {
  if (before === undefined || before.type === now.type || before.type === "null") return now;
  return now.type === "null" ? before : { type: "mixed", size: undefined };
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
