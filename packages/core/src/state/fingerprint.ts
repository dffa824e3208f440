import { types } from "node:util";
import { BinaryLeaf, type StateNode, TAG } from "../node.js";
import { type CodecRegistry, codecFor } from "./class-codec.js";

/**
 * A shallow, cheap number that equal values share, live or in normal form. It only proposes pairs: a comparison decides.
 * Dates are told apart by their time; other rich values look different live and stored, so they all count as one constant.
 */
export function fingerprint(value: unknown, codecs: CodecRegistry): number {
  return mix(value, 3, codecs);
}

const OTHER = 7;
/** Of a text, and of an object's values, so many are looked at; of an array's elements, half as many. */
const SAMPLED = 8;

function mix(value: unknown, levels: number, codecs: CodecRegistry): number {
  switch (typeof value) {
    case "string":
      return mixString(value);
    case "number":
      return mixNumber(value);
    case "boolean":
      return value ? 11 : 13;
    case "object":
      return value === null ? 17 : mixContainer(value, levels, codecs);
    default:
      return OTHER;
  }
}

/** Of a large number the product alone keeps a few bits only, of a fraction the low bits alone nothing. */
function mixNumber(value: number): number {
  return (Math.imul(value | 0, 0x85eb_ca6b) + ((value * 2_654_435_761) | 0)) | 0 || OTHER;
}

function mixString(text: string): number {
  const length = text.length;
  let h = length + 0x9e37;
  // A few characters from the whole: texts of one length and one beginning are common.
  const step = length <= SAMPLED ? 1 : (length / SAMPLED) | 0;
  for (let i = 0; i < length; i += step) h = (Math.imul(h, 31) + text.charCodeAt(i)) | 0;
  return length === 0 ? h : (Math.imul(h, 31) + text.charCodeAt(length - 1)) | 0;
}

function mixContainer(value: object, levels: number, codecs: CodecRegistry): number {
  if (Array.isArray(value)) {
    let h = 0x51ed + value.length;
    const count = levels === 0 ? 0 : Math.min(value.length, SAMPLED / 2);
    for (let k = 0; k < count; k++) {
      h = (Math.imul(h, 31) + mix(value[sample(k, count, value.length)], levels - 1, codecs)) | 0;
    }
    return h;
  }
  if (Object.getPrototypeOf(value) !== Object.prototype) return mixRich(value, codecs);
  if (TAG in value) return (value as Tagged)[TAG] === "Date" ? mixTime((value as Tagged).v) : OTHER;
  const keys = Object.keys(value);
  let h = 0x2545 + keys.length;
  if (levels === 0) return h;
  const object = value as Record<string, unknown>;
  const count = Math.min(keys.length, SAMPLED);
  for (let k = 0; k < count; k++) {
    h = (Math.imul(h, 31) + mix(object[keys[sample(k, count, keys.length)]!], levels - 1, codecs)) | 0;
  }
  return h;
}

type Tagged = { readonly [TAG]?: unknown; readonly v?: StateNode };

function mixRich(value: object, codecs: CodecRegistry): number {
  if (value instanceof BinaryLeaf || !types.isDate(value) || codecFor(value, codecs) !== undefined)
    return OTHER;
  const time = Date.prototype.getTime.call(value);
  return mixTime(Number.isNaN(time) ? null : time);
}

const mixTime = (time: StateNode | undefined): number =>
  typeof time === "number" ? (Math.imul(mixNumber(time), 31) + 19) | 0 : 19;

/** Which of `length` members is looked at as number `k` of `count`: the first half, then evenly to the last. */
function sample(k: number, count: number, length: number): number {
  const half = count >> 1;
  return k < half ? k : half - 1 + Math.floor(((k - half + 1) * (length - half)) / (count - half));
}
