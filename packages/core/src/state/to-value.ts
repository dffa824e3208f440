import { CkptError } from "@ckpt/errors";
import { BinaryLeaf, type StateArray, type StateNode, type StateObject, TAG } from "../node.js";
import { decodeBase64, decodeBinary, isBinaryTag } from "./binary.js";
import type { CodecRegistry } from "./class-codec.js";
import { rebuildError } from "./error-values.js";
import { setOwn, unescapeKey } from "./key-escape.js";
import { SPECIAL_NUMBERS } from "./tagged.js";

/** A fresh, mutable value with its rich types. The tree was checked before: see `checkTag`. */
export function toValue(node: StateNode, codecs: CodecRegistry): unknown {
  if (typeof node !== "object" || node === null) return node;
  if (Array.isArray(node)) {
    const array: unknown[] = [];
    for (let i = 0; i < node.length; i++) array.push(toValue(node[i], codecs));
    return array;
  }
  const object = node as StateObject;
  const tag = object[TAG];
  return tag === undefined ? fill({}, object, codecs) : fromTag(tag as string, object.v!, codecs);
}

function fill(target: object, node: StateObject, codecs: CodecRegistry): object {
  const keys = Object.keys(node);
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i]!;
    const child = node[key]!;
    const value = typeof child === "object" && child !== null ? toValue(child, codecs) : child;
    setOwn(target, key.charCodeAt(0) === 36 ? unescapeKey(key) : key, value);
  }
  return target;
}

function fromTag(tag: string, v: StateNode, codecs: CodecRegistry): unknown {
  switch (tag) {
    case "undefined":
      return undefined;
    case "number":
      return SPECIAL_NUMBERS.get(v as string);
    case "bigint":
      return BigInt(v as string);
    case "Date":
      return new Date(v === null ? Number.NaN : (v as number));
    case "Map":
      return new Map(toValue(v, codecs) as [unknown, unknown][]);
    case "Set":
      return new Set(toValue(v, codecs) as unknown[]);
    case "URL":
      return new URL(v as string);
    case "RegExp":
      return toRegExp(v as StateArray);
    case "null":
      return fill(Object.create(null), v as StateObject, codecs);
    case "Error": {
      const { type, own, props } = v as { type: string; own: StateObject; props: StateObject };
      return rebuildError(type, fillMap(own, codecs), fillMap(props, codecs));
    }
    case "codec":
      return fromCodec(v as StateArray, codecs);
    default:
      return toBinary(tag, v);
  }
}

function fillMap(node: StateObject, codecs: CodecRegistry): Record<string, unknown> {
  return fill({}, node, codecs) as Record<string, unknown>;
}

function toRegExp(v: StateArray): RegExp {
  const [source, flags, lastIndex] = v as [string, string, number];
  const expression = compile(source, flags);
  expression.lastIndex = lastIndex;
  return expression;
}

function compile(source: string, flags: string): RegExp {
  try {
    return new RegExp(source, flags);
  } catch (cause) {
    throw new CkptError("CKPT_UNSUPPORTED", {
      message: `The state holds a regular expression that this runtime does not know: flags ${JSON.stringify(flags)}.`,
      hint: "Read it with a runtime at least as new as the one that wrote it.",
      cause,
      details: { source: source.slice(0, 200), flags },
    });
  }
}

function fromCodec(v: StateArray, codecs: CodecRegistry): unknown {
  const [name, plain] = v as [string, StateNode];
  const codec = codecs.find((candidate) => candidate.name === name);
  if (codec === undefined) {
    throw new CkptError("CKPT_UNKNOWN_CODEC", {
      message: `The state holds an instance kept by the class codec ${JSON.stringify(name)}, which is not registered here.`,
      hint: "Pass the codec of that name in `codecs`.",
      details: { codec: name },
    });
  }
  return codec.decode(toValue(plain, codecs));
}

function toBinary(tag: string, v: StateNode): unknown {
  const bytes = v instanceof BinaryLeaf ? v.bytes : decodeBase64(v as string);
  const value = bytes !== undefined && isBinaryTag(tag) ? decodeBinary(tag, bytes) : undefined;
  if (value === undefined) {
    throw new CkptError("CKPT_UNSUPPORTED", {
      message: `This runtime has no ${tag}, which the state holds.`,
      hint: "Read it with a runtime at least as new as the one that wrote it.",
      details: { type: tag },
    });
  }
  return value;
}
