import { CkptError } from "@ckpt/errors";

/** Python refuses to turn longer texts into integers too (CVE-2020-10735): the work grows with the square. */
const MAX_INTEGER_DIGITS = 4_300;

const NUMBER = /-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?/y;
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON forbids them in strings.
const PLAIN_TEXT = /[^"\\\u0000-\u001f]*/y;
const SPACE = /[ \t\n\r]*/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;

const LITERALS: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ["null", null],
  ["true", true],
  ["false", false],
  ["NaN", Number.NaN],
  ["Infinity", Number.POSITIVE_INFINITY],
  ["-Infinity", Number.NEGATIVE_INFINITY],
]);

/**
 * Reads what Python's `json.dumps` writes, strictly. Beyond JSON (RFC 8259) that is `NaN`, `Infinity` and `-Infinity`; and integers keep
 * their value: beyond 2^53 they are bigint. Of equal keys the last one counts, as in Python. `__proto__` is an ordinary key.
 *
 * Throws `CKPT_INVALID_IMPORT` with offset, line and column, or `CKPT_LIMIT` for nesting beyond `maxDepth` containers and for integers of
 * more than 4,300 digits.
 */
export function parsePythonJson(text: string, maxDepth: number): unknown {
  return new Parser(text, maxDepth).document();
}

class Parser {
  readonly #text: string;
  readonly #maxDepth: number;
  #at = 0;

  constructor(text: string, maxDepth: number) {
    this.#text = text;
    this.#maxDepth = maxDepth;
  }

  document(): unknown {
    const value = this.#value(0);
    this.#skipSpace();
    if (this.#at < this.#text.length) throw this.#unexpected("the end");
    return value;
  }

  #value(depth: number): unknown {
    this.#skipSpace();
    const start = this.#text[this.#at];
    if (start === '"') return this.#string();
    if (start === "{" || start === "[") {
      if (depth >= this.#maxDepth)
        throw this.#error(`is nested deeper than ${this.#maxDepth} levels`, "CKPT_LIMIT");
      return start === "{" ? this.#object(depth + 1) : this.#array(depth + 1);
    }
    for (const [literal, value] of LITERALS) {
      if (start !== literal[0] || !this.#text.startsWith(literal, this.#at)) continue;
      this.#at += literal.length;
      return value;
    }
    return this.#number();
  }

  #object(depth: number): Record<string, unknown> {
    const entries = new Map<string, unknown>();
    this.#at++;
    if (!this.#take("}")) {
      do {
        this.#skipSpace();
        if (this.#text[this.#at] !== '"') throw this.#unexpected("a key in double quotes");
        const key = this.#string();
        if (!this.#take(":")) throw this.#unexpected("a colon");
        entries.set(key, this.#value(depth));
      } while (this.#take(","));
      if (!this.#take("}")) throw this.#unexpected("a comma or }");
    }
    // fromEntries defines own properties, `__proto__` too.
    return Object.fromEntries(entries);
  }

  #array(depth: number): unknown[] {
    const items: unknown[] = [];
    this.#at++;
    if (this.#take("]")) return items;
    do items.push(this.#value(depth));
    while (this.#take(","));
    if (!this.#take("]")) throw this.#unexpected("a comma or ]");
    return items;
  }

  #string(): string {
    const start = this.#at++;
    for (;;) {
      this.#match(PLAIN_TEXT);
      const stop = this.#text[this.#at];
      if (stop === '"') break;
      if (stop === undefined) throw this.#unexpected("a closing quote");
      if (stop !== "\\") throw this.#unexpected("an escaped control character");
      if (this.#match(ESCAPE) === "") throw this.#unexpected("a known escape");
    }
    this.#at++;
    // Also makes a string of its own: a slice would keep the whole text in memory.
    return JSON.parse(this.#text.slice(start, this.#at)) as string;
  }

  #number(): number | bigint {
    NUMBER.lastIndex = this.#at;
    const match = NUMBER.exec(this.#text);
    if (match === null) throw this.#unexpected("a value");
    const [text, fraction, exponent] = match;
    if (fraction === undefined && exponent === undefined) {
      const digits = text.length - (text.startsWith("-") ? 1 : 0);
      if (digits > MAX_INTEGER_DIGITS)
        throw this.#error(`has an integer of more than ${MAX_INTEGER_DIGITS} digits`, "CKPT_LIMIT");
      this.#at += text.length;
      const integer = Number(text);
      // Python's integers have no -0.
      return Number.isSafeInteger(integer) ? integer + 0 : BigInt(text);
    }
    this.#at += text.length;
    return Number(text);
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0] ?? "";
    this.#at += found.length;
    return found;
  }

  #skipSpace(): void {
    this.#match(SPACE);
  }

  #take(character: string): boolean {
    this.#skipSpace();
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #unexpected(expected: string): CkptError {
    const found = this.#text.codePointAt(this.#at);
    const shown = found === undefined ? "the end of the text" : JSON.stringify(String.fromCodePoint(found));
    return this.#error(`has ${shown} where ${expected} should be`);
  }

  #error(says: string, code = "CKPT_INVALID_IMPORT"): CkptError {
    let line = 1;
    let lineStart = 0;
    for (
      let end = this.#text.indexOf("\n");
      end >= 0 && end < this.#at;
      end = this.#text.indexOf("\n", lineStart)
    ) {
      line++;
      lineStart = end + 1;
    }
    const column = this.#at - lineStart + 1;
    return new CkptError(code, {
      message: `The text to import ${says}, at line ${line}, column ${column}.`,
      hint: "Give the whole text that export() wrote. Nothing was imported.",
      details: { offset: this.#at, line, column },
    });
  }
}
