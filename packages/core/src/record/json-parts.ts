import type { StateNode } from "../node.js";
import { hasOwn } from "../state/key-escape.js";
import { hasRoom, writeEscaped } from "./escape.js";

/** From this length on, a text is copied and then escaped; shorter ones go through `JSON.stringify`. */
const LONG_LENGTH = 512;

/** A long text that is still to be written between its quotes, which are in the parts around it. */
class LongText {
  constructor(readonly text: string) {}

  /** The same as `JSON.stringify` writes it. */
  json(): string {
    return JSON.stringify(this.text).slice(1, -1);
  }
}

/** A part of a JSON text. */
export type JsonPart = string | LongText;

type Container = Readonly<Record<string, StateNode>>;

/** Appends the JSON text of a node to `parts`, so that all of them in a row are what `JSON.stringify` gives. */
export function addJsonParts(node: StateNode, parts: JsonPart[]): void {
  const holders = new Set<StateNode>();
  if (!findLong(node, holders)) parts.push(JSON.stringify(node));
  else parts.push(addNode(node, "", holders, parts));
}

/** Writes the parts into `target` from `at` on, and returns where they end; -1 where they do not fit, or cannot be escaped in place. */
export function writeParts(parts: readonly JsonPart[], target: Buffer, at: number): number {
  let end = at;
  for (let i = 0; i < parts.length && end !== -1; i++) {
    const part = parts[i]!;
    if (typeof part !== "string") end = writeEscaped(part.text, target, end);
    else end = hasRoom(part, target.length - end) ? end + target.write(part, end) : -1;
  }
  return end;
}

/** The least that the parts take, in bytes. */
export function leastBytes(parts: readonly JsonPart[]): number {
  let bytes = 0;
  for (const part of parts) bytes += Buffer.byteLength(typeof part === "string" ? part : part.text);
  return bytes;
}

/** The parts in a buffer of their own. */
export function joinParts(parts: readonly JsonPart[]): Buffer {
  const least = leastBytes(parts);
  const buffer = Buffer.allocUnsafe(least + Math.ceil(least / 16));
  const end = writeParts(parts, buffer, 0);
  if (end !== -1) return buffer.subarray(0, end);
  return Buffer.from(parts.map((part) => (typeof part === "string" ? part : part.json())).join(""));
}

/** Whether the node is or holds a long string; adds each container that does. */
function findLong(node: StateNode, holders: Set<StateNode>): boolean {
  if (typeof node === "string") return node.length >= LONG_LENGTH;
  if (typeof node !== "object" || node === null) return false;
  let found = false;
  if (Array.isArray(node)) {
    for (let i = 0; i < node.length; i++) if (findLong(node[i]!, holders)) found = true;
  } else {
    const object = node as Container;
    for (const key in object) if (hasOwn.call(object, key) && findLong(object[key]!, holders)) found = true;
  }
  if (found) holders.add(node);
  return found;
}

/** `text` is what stands before the node and is in no part yet; returns the same for what follows. */
function addNode(node: StateNode, text: string, holders: ReadonlySet<StateNode>, parts: JsonPart[]): string {
  if (typeof node === "string" && node.length >= LONG_LENGTH) {
    parts.push(`${text}"`, new LongText(node));
    return '"';
  }
  if (!holders.has(node)) return text + JSON.stringify(node);
  let separator = "";
  if (Array.isArray(node)) {
    let open = `${text}[`;
    for (let i = 0; i < node.length; i++) {
      open = addNode(node[i]!, open + separator, holders, parts);
      separator = ",";
    }
    return `${open}]`;
  }
  const object = node as Container;
  let open = `${text}{`;
  for (const key in object) {
    if (!hasOwn.call(object, key)) continue;
    open = addNode(object[key]!, `${open}${separator}${JSON.stringify(key)}:`, holders, parts);
    separator = ",";
  }
  return `${open}}`;
}
