import { endianness } from "node:os";
import { isDeepStrictEqual, types } from "node:util";
import { BinaryLeaf, INLINE_BINARY_MAX_BYTES, type StateNode } from "../node.js";
import { isDirect } from "./plainness.js";

/** Names of the binary types that the state can hold, as their tags. */
const TYPED_ARRAYS = [
  "Uint8Array",
  "Uint8ClampedArray",
  "Uint16Array",
  "Uint32Array",
  "Int8Array",
  "Int16Array",
  "Int32Array",
  "BigInt64Array",
  "BigUint64Array",
  "Float16Array",
  "Float32Array",
  "Float64Array",
] as const;

const TYPED_ARRAY_NAMES: ReadonlySet<string> = new Set(TYPED_ARRAYS);
const BINARY_TAGS: ReadonlySet<string> = new Set([...TYPED_ARRAYS, "Buffer", "ArrayBuffer", "DataView"]);

/** Elements are stored little endian; hosts that are not cannot hold wider ones as they are. */
const BIG_ENDIAN = endianness() === "BE";

export const isBinaryTag = (tag: string): boolean => BINARY_TAGS.has(tag);

/** The tag of a supported binary value, or undefined: not binary, a subclass, or backed by shared or resizable memory. */
export function binaryTag(value: object): string | undefined {
  if (ArrayBuffer.isView(value)) {
    if (!types.isArrayBuffer(value.buffer) || isResizable(value.buffer)) return undefined;
    if (types.isDataView(value)) return isDirect(value, "DataView") ? "DataView" : undefined;
    if (Object.getPrototypeOf(value) === Buffer.prototype) return "Buffer";
    const name = (value as unknown as { [Symbol.toStringTag]: string })[Symbol.toStringTag];
    if (BIG_ENDIAN && (value as Uint8Array).BYTES_PER_ELEMENT > 1) return undefined;
    return TYPED_ARRAY_NAMES.has(name) && isDirect(value, name) ? name : undefined;
  }
  if (!types.isArrayBuffer(value) || isResizable(value)) return undefined;
  return isDirect(value, "ArrayBuffer") ? "ArrayBuffer" : undefined;
}

function isResizable(buffer: ArrayBufferLike): boolean {
  return (buffer as { resizable?: boolean }).resizable === true;
}

/** The bytes of a binary value, not copied. */
export function bytesOf(value: object): Uint8Array {
  return ArrayBuffer.isView(value)
    ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
    : new Uint8Array(value as ArrayBuffer);
}

/** Properties of longer typed arrays are not looked for: listing the indexes would cost more than the state. */
const LONGEST_LISTED = 1_024;
/** Listing the indexes costs more than a comparison from about here on. */
const LONGEST_CHEAP = 24;

const elementsOf = (live: object): number =>
  ArrayBuffer.isView(live) && !types.isDataView(live) ? (live as Uint8Array).length : 0;

/** Whether a binary value has properties besides its elements. */
export function hasNamedProperties(live: object): boolean {
  const elements = elementsOf(live);
  return elements <= LONGEST_LISTED && Object.getOwnPropertyNames(live).length !== elements;
}

/**
 * The same for what was captured before and is unchanged, where it must cost next to nothing: of more than a few elements,
 * only enumerable properties are seen.
 */
export function hasAddedProperties(live: object): boolean {
  const elements = elementsOf(live);
  if (elements <= LONGEST_CHEAP || elements > LONGEST_LISTED) return hasNamedProperties(live);
  // A second view of the same memory differs by properties alone, which the runtime looks for without listing indexes.
  return !isDeepStrictEqual(live, secondView(live as Uint8Array));
}

function secondView(live: Uint8Array): object {
  const { buffer, byteOffset, length } = live;
  const proto = Object.getPrototypeOf(live) as { constructor: new (...from: unknown[]) => object };
  if (proto === Buffer.prototype) return Buffer.from(buffer, byteOffset, length);
  return new proto.constructor(buffer, byteOffset, length);
}

/** A record says the length of bytes in 31 bits. */
export const MOST_BINARY_BYTES = 0x7fff_ffff;

/** The payload for bytes: base64 text when short, else a leaf with a private copy. */
export function binaryPayload(bytes: Uint8Array): StateNode {
  if (bytes.length > INLINE_BINARY_MAX_BYTES) return new BinaryLeaf(bytes.slice());
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("base64");
}

/** Whether a payload says exactly these bytes. */
export function samePayload(bytes: Uint8Array, payload: StateNode | undefined): boolean {
  if (payload instanceof BinaryLeaf) {
    return payload.bytes.length === bytes.length && Buffer.compare(payload.bytes, bytes) === 0;
  }
  if (typeof payload !== "string" || bytes.length > INLINE_BINARY_MAX_BYTES) return false;
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("base64") === payload;
}

/** Strict base64: what `binaryPayload` writes and nothing else. Undefined for other text. */
export function decodeBase64(text: string): Uint8Array | undefined {
  const bytes = Buffer.from(text, "base64");
  return bytes.toString("base64") === text ? bytes : undefined;
}

/** Bytes per element of a binary tag. */
function elementSize(tag: string): number {
  const type = (globalThis as unknown as Record<string, { BYTES_PER_ELEMENT?: number } | undefined>)[tag];
  return type?.BYTES_PER_ELEMENT ?? 1;
}

/** Whether this runtime can rebuild `tag` from so many bytes. */
export function binaryFits(tag: string, byteLength: number): boolean {
  if (tag === "Float16Array") return byteLength % 2 === 0;
  return byteLength % elementSize(tag) === 0;
}

/** A fresh value of the tagged type over its own copy of the bytes; undefined where this runtime lacks the type. */
export function decodeBinary(tag: string, bytes: Uint8Array): object | undefined {
  if (tag === "Buffer") return Buffer.from(bytes);
  const buffer = new ArrayBuffer(bytes.length);
  new Uint8Array(buffer).set(bytes);
  if (tag === "ArrayBuffer") return buffer;
  const type = (globalThis as unknown as Record<string, (new (buffer: ArrayBuffer) => object) | undefined>)[
    tag
  ];
  return type === undefined ? undefined : new type(buffer);
}
