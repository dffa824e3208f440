import { types } from "node:util";
import type { CkptError } from "@ckpt/errors";
import { BinaryLeaf } from "../node.js";
import { binaryTag } from "./binary.js";
import { builtInTag, ownKeyCount } from "./built-in.js";
import { type CodecRegistry, codecFor } from "./class-codec.js";
import { Culprit } from "./culprit.js";
import { errorParts, errorType } from "./error-values.js";
import type { ResolvedLimits } from "./limits.js";
import { plainness } from "./plainness.js";
import { isStableUrl } from "./rich-node.js";

interface Size {
  nodes: number;
  weight: number;
  height: number;
}

/**
 * Finds out why the fast walk refused a value: the same rules once more, with paths. Getters are never run. Visits each
 * shared container once, so that it ends soon for any state.
 */
class Explanation {
  private readonly sizes = new Map<object, Size | null>();
  private readonly path: (string | number)[] = [];

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
      case "string":
        return this.bounded({ nodes: 1, weight: 2 + value.length, height: 0 });
      case "object":
        return value === null ? { nodes: 1, weight: 4, height: 0 } : this.container(value);
      default:
        return { nodes: 1, weight: 8, height: 0 };
    }
  }

  private container(value: object): Size {
    const known = this.sizes.get(value);
    if (known === null) this.refused("a reference to an object that contains it (a cycle)");
    if (this.path.length + (known?.height ?? 1) > this.limits.maxDepth) {
      throw new Culprit(
        "limit",
        this.path,
        `nesting deeper than ${this.limits.maxDepth} levels (limits.maxDepth)`,
      );
    }
    if (known !== undefined) return known!;
    this.sizes.set(value, null);
    const size = this.bounded(this.content(value));
    this.sizes.set(value, size);
    return size;
  }

  private content(value: object): Size {
    const kind = plainness(value);
    if (kind === "plain" || kind === "null") return this.properties(value);
    if (kind === "array") return this.elements(value as unknown[]);
    const codec = codecFor(value, this.codecs);
    if (codec !== undefined) return this.value(codec.encode(value as never));
    const binary = binaryTag(value);
    if (binary !== undefined) {
      if (Object.getOwnPropertySymbols(value).length > 0) this.refused(`a ${binary} with symbol keys`);
      if (!ArrayBuffer.isView(value) || types.isDataView(value) || (value as Uint8Array).length <= 1_024) {
        const elements =
          ArrayBuffer.isView(value) && !types.isDataView(value) ? (value as Uint8Array).length : 0;
        if (Object.getOwnPropertyNames(value).length !== elements)
          this.refused(`a ${binary} with extra properties`);
      }
      return { nodes: 3, weight: 32 + (value as ArrayBuffer).byteLength, height: 1 };
    }
    const type = errorType(value);
    if (type !== undefined) {
      const parts = errorParts(value, type);
      if (typeof parts === "string") return this.refused(parts);
      return this.sum([...Object.entries(parts.own), ...Object.entries(parts.props)]);
    }
    return this.builtIn(value);
  }

  private builtIn(value: object): Size {
    const tag = builtInTag(value);
    if (tag === undefined) return this.refused(describe(value));
    if (Reflect.ownKeys(value).length > ownKeyCount(tag))
      return this.refused(`a ${tag} with extra properties`);
    if (tag === "Map") return this.sum(Array.from(value as Map<unknown, unknown>, (entry, i) => [i, entry]));
    if (tag === "Set") return this.sum(Array.from(value as Set<unknown>, (member, i) => [i, member]));
    if (tag === "URL" && !isStableUrl((value as URL).href))
      return this.refused("a URL that does not parse back to itself");
    if (tag === "RegExp") {
      const { lastIndex } = value as RegExp;
      if (!Number.isSafeInteger(lastIndex) || lastIndex < 0)
        this.refused("a RegExp whose lastIndex is no whole number");
    }
    return { nodes: 2, weight: 40, height: 1 };
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
    const total: Size = { nodes: 1, weight: 2, height: 0 };
    for (const [key, value] of entries) {
      const size = this.at(key, () => this.value(value));
      total.nodes += size.nodes;
      total.weight += size.weight + (typeof key === "string" ? key.length + 4 : 1);
      total.height = Math.max(total.height, size.height);
    }
    total.height += 1;
    return total;
  }

  private bounded(size: Size): Size {
    const { maxNodes, maxBytes } = this.limits;
    if (size.nodes > maxNodes) {
      throw new Culprit("limit", this.path, `more than ${maxNodes} values in it (limits.maxNodes)`);
    }
    if (size.weight > maxBytes)
      throw new Culprit("limit", this.path, `about ${size.weight} bytes (limits.maxBytes)`);
    return size;
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
  if (ArrayBuffer.isView(value)) return "binary data of a class, or over memory, that cannot be kept";
  if (types.isNativeError(value)) return `an error of the class ${className(value)}`;
  if (types.isPromise(value)) return "a Promise";
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
