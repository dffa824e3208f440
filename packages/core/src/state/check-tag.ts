import { BinaryLeaf, INLINE_BINARY_MAX_BYTES, type StateNode, type StateObject } from "../node.js";
import { binaryFits, decodeBase64, isBinaryTag } from "./binary.js";
import { isCodecName } from "./class-codec.js";
import { ERROR_FIELDS, ERROR_TYPES } from "./error-values.js";
import { isPosition, isStableUrl } from "./rich-node.js";
import { SPECIAL_NUMBERS, tagOf } from "./tagged.js";

const DECIMAL = /^(?:0|-?[1-9]\d*)$/;
const FLAGS = /^[a-z]{0,16}$/;
const LATEST_TIME = 8_640_000_000_000_000;

/** Whether the payload of a tagged node is one that this library writes. Unknown tags are not. */
export function isValidPayload(tag: string, v: StateNode): boolean {
  switch (tag) {
    case "number":
      return typeof v === "string" && SPECIAL_NUMBERS.has(v);
    case "bigint":
      return typeof v === "string" && DECIMAL.test(v);
    case "Date":
      return v === null || (Number.isInteger(v) && Math.abs(v as number) <= LATEST_TIME);
    case "Map":
      return Array.isArray(v) && v.every((entry) => Array.isArray(entry) && entry.length === 2);
    case "Set":
      return Array.isArray(v);
    case "URL":
      return typeof v === "string" && isStableUrl(v);
    case "RegExp":
      return Array.isArray(v) && isRegExp(v);
    case "Error":
      return isPlain(v) && isError(v);
    case "null":
      return isPlain(v);
    case "codec":
      return Array.isArray(v) && v.length === 2 && isCodecName(v[0]);
    default:
      return isBinaryTag(tag) && isBinary(tag, v);
  }
}

function isPlain(node: StateNode | undefined): node is StateObject {
  if (typeof node !== "object" || node === null || Array.isArray(node)) return false;
  return !(node instanceof BinaryLeaf) && tagOf(node) === undefined;
}

/** Only the shape: the expression is compiled, never run, and not before `toValue`. */
function isRegExp(v: readonly StateNode[]): boolean {
  const [source, flags, lastIndex] = v;
  if (v.length !== 3 || typeof source !== "string" || typeof flags !== "string" || !FLAGS.test(flags))
    return false;
  return isPosition(lastIndex);
}

function isError(v: StateObject): boolean {
  const { type, own, props } = v;
  if (Object.keys(v).join() !== "type,own,props" || !(ERROR_TYPES as readonly unknown[]).includes(type))
    return false;
  if (!isPlain(own) || !isPlain(props)) return false;
  return Object.keys(own).every((key) => (ERROR_FIELDS as readonly string[]).includes(key));
}

function isBinary(tag: string, v: StateNode): boolean {
  if (v instanceof BinaryLeaf)
    return v.bytes.length > INLINE_BINARY_MAX_BYTES && binaryFits(tag, v.bytes.length);
  if (typeof v !== "string" || v.length > Math.ceil(INLINE_BINARY_MAX_BYTES / 3) * 4) return false;
  const bytes = decodeBase64(v);
  return bytes !== undefined && bytes.length <= INLINE_BINARY_MAX_BYTES && binaryFits(tag, bytes.length);
}
