import { BinaryLeaf } from "../node.js";

/**
 * A shallow, cheap number that equal values share, live or in normal form. It only proposes pairs: a comparison decides.
 * Rich values look different live and stored, so anything that is not plain counts as one constant.
 */
export function fingerprint(value: unknown): number {
  return mix(value, 3);
}

const OTHER = 7;
const SAMPLED = 8;

function mix(value: unknown, levels: number): number {
  switch (typeof value) {
    case "string":
      return mixString(value);
    case "number":
      return value === 0 ? OTHER : (value * 2_654_435_761) | 0 || OTHER;
    case "boolean":
      return value ? 11 : 13;
    case "object":
      return value === null ? 17 : mixContainer(value, levels);
    default:
      return OTHER;
  }
}

function mixString(text: string): number {
  const length = text.length;
  let h = length + 0x9e37;
  // A few characters from the whole: texts of one length and one beginning are common.
  const step = length <= SAMPLED ? 1 : (length / SAMPLED) | 0;
  for (let i = 0; i < length; i += step) h = (Math.imul(h, 31) + text.charCodeAt(i)) | 0;
  return length === 0 ? h : (Math.imul(h, 31) + text.charCodeAt(length - 1)) | 0;
}

function mixContainer(value: object, levels: number): number {
  if (Array.isArray(value)) {
    let h = 0x51ed + value.length;
    if (levels > 0)
      for (let i = 0; i < value.length && i < 4; i++) h = (Math.imul(h, 31) + mix(value[i], levels - 1)) | 0;
    return h;
  }
  if (Object.getPrototypeOf(value) !== Object.prototype || value instanceof BinaryLeaf || "$ckpt" in value)
    return OTHER;
  const keys = Object.keys(value);
  let h = 0x2545 + keys.length;
  if (levels === 0) return h;
  const object = value as Record<string, unknown>;
  for (let i = 0; i < keys.length && i < SAMPLED; i++)
    h = (Math.imul(h, 31) + mix(object[keys[i]!], levels - 1)) | 0;
  return h;
}
