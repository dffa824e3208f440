import type { Json } from "./checkpoint-header.js";
import { TAG } from "./node.js";

/** How a tree of plain JSON and tagged nodes becomes text. */
export interface Dialect {
  /** Tagged `number` and `bigint` nodes become Python's `NaN`, `Infinity`, `-Infinity`, `-0.0` and integers. */
  readonly literals: boolean;
  /** The text's key for a key of the tree. */
  readonly key: (key: string) => string;
}

/**
 * Writes a value as Python's `json.dumps(value, indent=2)` does, in meaning: what `parsePythonJson` and Python's `json.loads` read back
 * as the same value. A number beyond 2^53 gets a fraction or an exponent, because an integer there is a bigint.
 */
export function writePythonJson(value: Json, dialect: Dialect, indent = ""): string {
  const out: string[] = [];
  write(value, dialect, indent, out);
  return out.join("");
}

function write(value: Json, dialect: Dialect, indent: string, out: string[]): void {
  if (typeof value === "number") out.push(numberText(value));
  else if (typeof value !== "object" || value === null) out.push(JSON.stringify(value));
  else if (isArray(value)) writeArray(value, dialect, indent, out);
  else {
    const literal = dialect.literals ? literalOf(value) : undefined;
    if (literal === undefined) writeObject(value, dialect, indent, out);
    else out.push(literal);
  }
}

function writeArray(items: readonly Json[], dialect: Dialect, indent: string, out: string[]): void {
  if (items.length === 0) {
    out.push("[]");
    return;
  }
  const inner = `${indent}  `;
  let before = `[\n${inner}`;
  for (const item of items) {
    out.push(before);
    write(item, dialect, inner, out);
    before = `,\n${inner}`;
  }
  out.push(`\n${indent}]`);
}

function writeObject(
  value: { readonly [key: string]: Json },
  dialect: Dialect,
  indent: string,
  out: string[],
): void {
  const inner = `${indent}  `;
  let before = `{\n${inner}`;
  for (const [key, item] of Object.entries(value)) {
    out.push(before, JSON.stringify(dialect.key(key)), ": ");
    write(item, dialect, inner, out);
    before = `,\n${inner}`;
  }
  out.push(before.startsWith("{") ? "{}" : `\n${indent}}`);
}

function numberText(value: number): string {
  const text = String(value);
  return Number.isSafeInteger(value) || !/^-?\d+$/.test(text) ? text : `${text}.0`;
}

const SPECIAL_NUMBERS: ReadonlyMap<Json | undefined, string> = new Map([
  ["NaN", "NaN"],
  ["Infinity", "Infinity"],
  ["-Infinity", "-Infinity"],
  ["-0", "-0.0"],
]);

/**
 * The literal that Python has for a tagged node, if any: for the special numbers, and for integers beyond 2^53 (a smaller bigint
 * would come back as a number).
 */
export function literalOf(node: { readonly [key: string]: Json }): string | undefined {
  const { [TAG]: tag, v } = node;
  if (tag === undefined || Object.keys(node).length !== 2) return undefined;
  if (tag === "number") return SPECIAL_NUMBERS.get(v);
  if (tag !== "bigint" || typeof v !== "string" || !/^-?[1-9]\d{0,4299}$/.test(v)) return undefined;
  return Number.isSafeInteger(Number(v)) ? undefined : v;
}

function isArray(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}
