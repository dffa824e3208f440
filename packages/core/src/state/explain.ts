import { types } from "node:util";
import type { CkptError } from "@ckpt/errors";
import { BinaryLeaf } from "../node.js";
import { binaryTag, bytesOf, hasNamedProperties, MOST_BINARY_BYTES } from "./binary.js";
import { builtInTag, ownKeyCount } from "./built-in.js";
import { type CodecRegistry, codecFor } from "./class-codec.js";
import { Culprit } from "./culprit.js";
import { errorParts, errorType } from "./error-values.js";
import { escapeKey } from "./key-escape.js";
import type { ResolvedLimits } from "./limits.js";
import { keyWeight } from "./node-meta.js";
import {
  bytesSize,
  containerSize,
  listSize,
  NUMBER_SIZE,
  type Size,
  scalarSize,
  taggedSize,
  textSize,
  WORD_SIZE,
} from "./normal-size.js";
import { plainness } from "./plainness.js";
import { isPosition, isStableUrl } from "./rich-node.js";
import { hasJsonText, LENGTH_SURE_TO_FIT, MOST_JSON_CHARACTERS } from "./text-length.js";

/**
 * Finds out why the fast walk refused a value: the same rules once more, with paths into the live value and sizes of its
 * normal form. Getters are never run. Visits each shared container once, so that it ends soon for any state.
 */
class Explanation {
  private readonly sizes = new Map<object, Size | null>();
  private readonly path: (string | number)[] = [];
  /** Containers of the normal form above the value at hand. */
  private depth = 0;

  constructor(
    private readonly limits: ResolvedLimits,
    private readonly codecs: CodecRegistry,
  ) {}

  value(value: unknown): Size {
    switch (typeof value) {
      case "function":
        return this.refused(value.name === "" ? "a function" : `the function ${JSON.stringify(value.name)}`);
      case "symbol":
        return this.refused("a symbol");
      case "object":
        return value === null ? WORD_SIZE : this.container(value);
      case "string":
        if (value.length > LENGTH_SURE_TO_FIT && !hasJsonText(value)) {
          const most = MOST_JSON_CHARACTERS;
          throw new Culprit("limit", this.path, `a text that takes more than ${most} characters of JSON`);
        }
        return this.bounded(scalarSize(value));
      default:
        return this.bounded(scalarSize(value));
    }
  }

  private container(value: object): Size {
    const known = this.sizes.get(value);
    if (known === null) this.refused("a reference to an object that contains it (a cycle)");
    if (this.depth + (known?.height ?? 1) > this.limits.maxDepth) this.tooDeep();
    if (known !== undefined) return known;
    this.sizes.set(value, null);
    const size = this.bounded(this.content(value));
    this.sizes.set(value, size);
    return size;
  }

  private content(value: object): Size {
    const kind = plainness(value);
    if (kind === "plain") return this.properties(value);
    if (kind === "null")
      return taggedSize(
        "null",
        this.below(1, () => this.properties(value)),
      );
    if (kind === "array") return this.elements(value as unknown[]);
    const codec = codecFor(value, this.codecs);
    if (codec !== undefined) {
      const plain = codec.encode(value as never);
      const inner = this.below(2, () => this.value(plain));
      return taggedSize("codec", listSize(textSize(codec.name.length), inner));
    }
    const binary = binaryTag(value);
    if (binary !== undefined) return this.binary(value, binary);
    const type = errorType(value);
    return type === undefined ? this.builtIn(value) : this.error(value, type);
  }

  private binary(value: object, tag: string): Size {
    if (Object.getOwnPropertySymbols(value).length > 0) this.refused(`a ${tag} with symbol keys`);
    if (hasNamedProperties(value)) this.refused(`a ${tag} with extra properties`);
    const { length } = this.bytes(value, tag);
    if (length > MOST_BINARY_BYTES) {
      throw new Culprit("limit", this.path, `${length} bytes in one value, of at most ${MOST_BINARY_BYTES}`);
    }
    return taggedSize(tag, bytesSize(length));
  }

  private bytes(value: object, tag: string): Uint8Array {
    try {
      return bytesOf(value);
    } catch {
      return this.refused(`memory that was transferred away (${tag})`);
    }
  }

  private error(value: object, type: string): Size {
    const parts = errorParts(value, type);
    if (typeof parts === "string") return this.refused(parts);
    const fields = (of: object): Size => this.below(2, () => this.sum(Object.entries(of)));
    const payload = containerSize([
      [keyWeight("type"), textSize(type.length)],
      [keyWeight("own"), fields(parts.own)],
      [keyWeight("props"), fields(parts.props)],
    ]);
    return taggedSize("Error", payload);
  }

  private builtIn(value: object): Size {
    const tag = builtInTag(value);
    if (tag === undefined) return this.refused(describe(value));
    if (Reflect.ownKeys(value).length > ownKeyCount(tag))
      return this.refused(`a ${tag} with extra properties`);
    switch (tag) {
      case "Map":
      case "Set": {
        const members = Array.from(value as Iterable<unknown>, (member, i) => [i, member] as const);
        return taggedSize(
          tag,
          this.below(1, () => this.sum(members)),
        );
      }
      case "Date":
        return taggedSize(tag, Number.isNaN(Date.prototype.getTime.call(value)) ? WORD_SIZE : NUMBER_SIZE);
      case "URL": {
        const { href } = value as URL;
        if (!isStableUrl(href)) this.refused("a URL that does not parse back to itself");
        return taggedSize(tag, textSize(href.length));
      }
      case "RegExp": {
        const { source, flags, lastIndex } = value as RegExp;
        if (!isPosition(lastIndex)) this.refused("a RegExp whose lastIndex is no whole number from 0 on");
        return taggedSize(tag, listSize(textSize(source.length), textSize(flags.length), NUMBER_SIZE));
      }
    }
  }

  private properties(value: object): Size {
    const entries: [string, unknown][] = [];
    for (const key of Reflect.ownKeys(value)) {
      if (typeof key === "symbol") this.refused(`an object with the symbol key ${key.toString()}`);
      entries.push([key as string, this.data(value, key as string)]);
    }
    return this.sum(entries);
  }

  private elements(value: readonly unknown[]): Size {
    if (value.length > this.limits.maxNodes) {
      throw new Culprit("limit", this.path, `an array of ${value.length} elements (limits.maxNodes)`);
    }
    const keys = Reflect.ownKeys(value);
    const extra = keys.find(
      (key) => typeof key === "symbol" || (key !== "length" && !isIndex(key, value.length)),
    );
    if (extra !== undefined) this.refused(`an array with the extra property ${String(extra)}`);
    if (keys.length <= value.length) {
      const hole = value.findIndex((_, i) => !Object.hasOwn(value, i));
      return this.at(hole, () => this.refused("a hole in an array"));
    }
    return this.sum(Array.from({ length: value.length }, (_, i) => [i, this.data(value, i)]));
  }

  private data(owner: object, key: string | number): unknown {
    const descriptor = Object.getOwnPropertyDescriptor(owner, key);
    return this.at(key, () => {
      if (descriptor === undefined) return this.refused("a property that vanishes while it is read");
      if (!("value" in descriptor)) return this.refused("an accessor (get or set)");
      if (!descriptor.enumerable) return this.refused("a non-enumerable property");
      return descriptor.value;
    });
  }

  private sum(entries: Iterable<readonly [string | number, unknown]>): Size {
    if (this.depth >= this.limits.maxDepth) this.tooDeep();
    let nodes = 1;
    let weight = 2;
    let height = 0;
    for (const [key, value] of entries) {
      this.path.push(key);
      this.depth++;
      const size = this.value(value);
      this.depth--;
      this.path.pop();
      nodes += size.nodes;
      weight += size.weight + (typeof key === "string" ? keyWeight(escapeKey(key)) : 1);
      height = Math.max(height, size.height);
    }
    return { nodes, weight, height: height + 1 };
  }

  private bounded(size: Size): Size {
    const { maxDepth, maxNodes, maxBytes } = this.limits;
    if (size.nodes > maxNodes) {
      throw new Culprit("limit", this.path, `more than ${maxNodes} values in it (limits.maxNodes)`);
    }
    if (size.weight > maxBytes)
      throw new Culprit("limit", this.path, `about ${size.weight} bytes (limits.maxBytes)`);
    if (this.depth + size.height > maxDepth) this.tooDeep();
    return size;
  }

  private tooDeep(): never {
    const { maxDepth } = this.limits;
    throw new Culprit("limit", this.path, `nesting deeper than ${maxDepth} levels (limits.maxDepth)`);
  }

  /** Reads what stands so many containers of the normal form further down. */
  private below<T>(levels: number, read: () => T): T {
    this.depth += levels;
    const result = read();
    this.depth -= levels;
    return result;
  }

  private at<T>(key: string | number, read: () => T): T {
    this.path.push(key);
    const result = read();
    this.path.pop();
    return result;
  }

  private refused(reason: string): never {
    throw new Culprit("refused", this.path, reason);
  }

  /** Where the walk stood, for errors that it did not throw itself. */
  here(cause: unknown): Culprit {
    return new Culprit("refused", this.path, "a value that cannot be read", cause);
  }
}

function isIndex(key: string, length: number): boolean {
  const index = Number(key);
  return Number.isInteger(index) && index >= 0 && index < length && String(index) === key;
}

function describe(value: object): string {
  if (value instanceof BinaryLeaf) return "a BinaryLeaf (part of a snapshot's own tree; use toValue())";
  if (types.isSharedArrayBuffer(value)) return "a SharedArrayBuffer";
  if (ArrayBuffer.isView(value) || types.isArrayBuffer(value))
    return "binary of a class, or over memory that is shared or may be resized";
  if (types.isNativeError(value)) return `an error of the class ${className(value)}`;
  if (types.isPromise(value)) return "a Promise";
  if (types.isProxy(value)) return `a Proxy, behind which an instance of ${className(value)} cannot be read`;
  return `an instance of ${className(value)}`;
}

function className(value: object): string {
  const proto: object | null = Object.getPrototypeOf(value);
  const owner: unknown =
    proto === null ? undefined : Object.getOwnPropertyDescriptor(proto, "constructor")?.value;
  return typeof owner === "function" && owner.name !== "" ? owner.name : "an unnamed class";
}

/** The typed error for a value that the fast walk did not take; `cause` is what it met. */
export function explainRefusal(
  value: unknown,
  limits: ResolvedLimits,
  codecs: CodecRegistry,
  cause: unknown,
): CkptError<"CKPT_REFUSED_STATE" | "CKPT_LIMIT"> {
  const explanation = new Explanation(limits, codecs);
  let found = cause;
  try {
    explanation.value(value);
  } catch (error) {
    if (error instanceof Culprit) return error.toError(cause);
    found = error;
  }
  if (found instanceof RangeError) {
    // The caller left too little of the stack for a depth that the limits allow.
    return new Culprit("limit", [], "its nesting exhausts the stack").toError(cause);
  }
  if (found !== cause) return explanation.here(found).toError(cause);
  return new Culprit("refused", [], "a value that changed while it was read").toError(cause);
}
