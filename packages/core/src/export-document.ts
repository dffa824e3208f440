import { CkptError, isCkptError } from "@ckpt/errors";
import type { CheckpointHeader, Json } from "./checkpoint-header.js";
import { TAG } from "./node.js";
import { metadataToText } from "./portable-metadata.js";
import { type Dialect, literalOf, writePythonJson } from "./python-json-write.js";
import type { Snapshot } from "./snapshot.js";
import { unescapeKey } from "./state/key-escape.js";

/** What the field `encoding` of an entry says when its `data` has tagged nodes in it. */
export const TAGGED_ENCODING = "ckpt";

/**
 * A history as the reference's JSON: an array of `{ id, name, timestamp, data, metadata }`, indented by 2. Two fields are added where
 * they say something; the reference passes over them. A checkpoint for which `load` gives nothing is left out.
 *
 * - `schema_version`: the state's version, where it has one;
 * - `encoding: "ckpt"`: `data` is a tagged tree, because the state holds values for which Python's JSON has no form.
 */
export async function exportDocument(
  headers: readonly CheckpointHeader[],
  load: (header: CheckpointHeader) => Promise<Snapshot | undefined>,
): Promise<string> {
  const entries: string[] = [];
  try {
    for (const header of headers) {
      const snapshot = await load(header);
      if (snapshot !== undefined) entries.push(exportEntry(header, snapshot));
    }
    return entries.length === 0 ? "[]" : `[\n${entries.join(",\n")}\n]`;
  } catch (error) {
    if (isCkptError(error) || !(error instanceof RangeError)) throw error;
    throw new CkptError("CKPT_LIMIT", {
      message: `The ${headers.length} checkpoints are too large for one text.`,
      hint: "Remove some before the export, or copy the store instead.",
      cause: error,
    });
  }
}

const verbatim = (key: string): string => key;
const PLAIN: Dialect = { literals: true, key: unescapeKey };
const TAGGED: Dialect = { literals: false, key: verbatim };
const METADATA: Dialect = { literals: true, key: verbatim };

function exportEntry(header: CheckpointHeader, snapshot: Snapshot): string {
  const { id, name, timestamp, metadata, schemaVersion } = header;
  const tree = snapshot.toTaggedJson();
  const isTagged = needsTags(tree);
  const fields = [
    ["id", JSON.stringify(id)],
    ["name", JSON.stringify(name)],
    ["timestamp", JSON.stringify(timestamp)],
    ["data", writePythonJson(tree, isTagged ? TAGGED : PLAIN, "    ")],
    ["metadata", writePythonJson(metadataToText(metadata), METADATA, "    ")],
    ...(schemaVersion === null ? [] : [["schema_version", String(schemaVersion)]]),
    ...(isTagged ? [["encoding", JSON.stringify(TAGGED_ENCODING)]] : []),
  ];
  const lines = fields.map(([key, text]) => `    "${key}": ${text}`);
  return `  {\n${lines.join(",\n")}\n  }`;
}

/** Whether a tree has a tagged node without a literal: a value that plain JSON, as Python has it, would not give back. */
function needsTags(node: Json): boolean {
  if (typeof node !== "object" || node === null) return false;
  if (Array.isArray(node)) return node.some(needsTags);
  const object = node as { readonly [key: string]: Json };
  if (Object.hasOwn(object, TAG)) return literalOf(object) === undefined;
  return Object.values(object).some(needsTags);
}
