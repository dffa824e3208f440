import { CkptError } from "@ckpt/errors";

/** Plain JSON: what a detector's own state is made of. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** A JSON object. */
export interface JsonObject {
  readonly [key: string]: Json;
}

function refuse(what: string): never {
  throw new CkptError("CKPT_INVALID_ARGUMENT", {
    message: `A stored drift state is not of the documented shape: ${what}.`,
    hint: "Restore the monitor from what toJSON() returned, or start a new one with monitor().",
  });
}

/** Reads fields of a stored state; every read names the field that is wrong. Stored states are hostile input. */
export class JsonReader {
  readonly #object: JsonObject;
  readonly #where: string;

  constructor(json: unknown, where: string) {
    if (typeof json !== "object" || json === null || Array.isArray(json)) refuse(`${where} is not an object`);
    this.#object = json as JsonObject;
    this.#where = where;
  }

  has(key: string): boolean {
    return Object.hasOwn(this.#object, key);
  }

  /** Refuses the state unless what must hold between its fields does. */
  check(holds: boolean, what: string): void {
    if (!holds) refuse(`${this.#where}: ${what}`);
  }

  value(key: string): Json {
    return this.has(key) ? (this.#object[key] as Json) : refuse(`${this.#where}.${key} is missing`);
  }

  /** A finite number. */
  number(key: string): number {
    const v = this.value(key);
    return typeof v === "number" && Number.isFinite(v) ? v : refuse(`${this.#where}.${key} is not a number`);
  }

  /** A whole number in `min..max`. */
  integer(key: string, min = 0, max = Number.MAX_SAFE_INTEGER): number {
    const v = this.number(key);
    if (!Number.isInteger(v) || v < min || v > max) refuse(`${this.#where}.${key} is not in ${min}..${max}`);
    return v;
  }

  /** A finite number, or null. */
  numberOrNull(key: string): number | null {
    return this.value(key) === null ? null : this.number(key);
  }

  string(key: string): string {
    const v = this.value(key);
    return typeof v === "string" ? v : refuse(`${this.#where}.${key} is not a string`);
  }

  boolean(key: string): boolean {
    const v = this.value(key);
    return typeof v === "boolean" ? v : refuse(`${this.#where}.${key} is not a boolean`);
  }

  /** An array of at most `maxLength` values. */
  array(key: string, maxLength: number): readonly Json[] {
    const v = this.value(key);
    if (!Array.isArray(v) || v.length > maxLength)
      refuse(`${this.#where}.${key} is not an array of at most ${maxLength}`);
    return v as readonly Json[];
  }

  /** An array of at most `maxLength` finite numbers, as a fresh array. */
  numbers(key: string, maxLength: number): number[] {
    return this.array(key, maxLength).map((v, i) =>
      typeof v === "number" && Number.isFinite(v) ? v : refuse(`${this.#where}.${key}[${i}] is not a number`),
    );
  }

  /** An array of at most `maxRows` arrays of at most `maxLength` finite numbers each. */
  rows(key: string, maxRows: number, maxLength: number): number[][] {
    return this.array(key, maxRows).map((row, i) =>
      new JsonReader({ row }, `${this.#where}.${key}[${i}]`).numbers("row", maxLength),
    );
  }

  /** An array of at most `maxLength` strings, as a fresh array. */
  strings(key: string, maxLength: number): string[] {
    return this.array(key, maxLength).map((v, i) =>
      typeof v === "string" ? v : refuse(`${this.#where}.${key}[${i}] is not a string`),
    );
  }

  object(key: string): JsonReader {
    return new JsonReader(this.value(key), `${this.#where}.${key}`);
  }

  objects(key: string, maxLength: number): JsonReader[] {
    return this.array(key, maxLength).map((v, i) => new JsonReader(v, `${this.#where}.${key}[${i}]`));
  }

  entries(key: string, maxEntries: number): [string, JsonReader][] {
    const inner = this.value(key);
    if (typeof inner !== "object" || inner === null || Array.isArray(inner))
      refuse(`${this.#where}.${key} is not an object`);
    const list = Object.entries(inner as JsonObject);
    if (list.length > maxEntries) refuse(`${this.#where}.${key} has more than ${maxEntries} entries`);
    return list.map(([k, v]) => [k, new JsonReader(v, `${this.#where}.${key}.${k}`)]);
  }
}
