import type { StateNode } from "../node.js";

/** From this length on, looking for what JSON escapes and copying the rest is several times faster than `JSON.stringify`. */
const LONG_LENGTH = 512;
/** Beyond it, the pieces of a text that is split at what must be escaped could be millions. */
const SPLIT_LENGTH = 262_144;
/** What JSON escapes (controls, surrogates), but for the line feeds, quotes and backslashes that ordinary text is full of. */
const RARELY_ESCAPED = /[^\n -\ud7ff\ue000-\uffff]/;
const ESCAPED = /[^ !#-[\]-\ud7ff\ue000-\uffff]/;

type Container = Readonly<Record<string, StateNode>>;

/**
 * Appends the JSON text of a node to `parts`, so that all of them in a row are what `JSON.stringify` gives. A long string that
 * needs no escape is a part as it is: its text is never built.
 */
export function addJsonParts(node: StateNode, parts: string[]): void {
  const holders = new Set<StateNode>();
  if (!findLong(node, holders)) parts.push(JSON.stringify(node));
  else parts.push(addNode(node, "", holders, parts));
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
    for (const key in object) if (findLong(object[key]!, holders)) found = true;
  }
  if (found) holders.add(node);
  return found;
}

/** `text` is what stands before the node and is in no part yet; returns the same for what follows. */
function addNode(node: StateNode, text: string, holders: ReadonlySet<StateNode>, parts: string[]): string {
  if (typeof node === "string" && node.length >= LONG_LENGTH) return addLongString(node, text, parts);
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
    const name = ESCAPED.test(key) ? JSON.stringify(key) : `"${key}"`;
    open = addNode(object[key]!, `${open}${separator}${name}:`, holders, parts);
    separator = ",";
  }
  return `${open}}`;
}

function addLongString(long: string, text: string, parts: string[]): string {
  if (RARELY_ESCAPED.test(long) || (long.length > SPLIT_LENGTH && ESCAPED.test(long)))
    return text + JSON.stringify(long);
  parts.push(`${text}"`, escaped(long));
  return '"';
}

/** Splitting at what must be escaped and joining the rest goes over the text at the speed of copying. */
function escaped(text: string): string {
  let result = text;
  if (result.includes("\\")) result = result.split("\\").join("\\\\");
  if (result.includes('"')) result = result.split('"').join('\\"');
  return result.includes("\n") ? result.split("\n").join("\\n") : result;
}
