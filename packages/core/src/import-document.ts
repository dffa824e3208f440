import { CkptError, isCkptError } from "@ckpt/errors";
import type { SignalOption } from "./abort.js";
import { TAGGED_ENCODING } from "./export-document.js";
import { validateCheckpointId, validateName } from "./identifiers.js";
import type { ImportConflict } from "./import-plan.js";
import { inWords } from "./in-words.js";
import { METADATA_MAX_DEPTH, type Metadata } from "./metadata.js";
import { metadataFromText } from "./portable-metadata.js";
import { parsePythonJson } from "./python-json-parse.js";
import { fromTaggedJson, type Snapshot, type SnapshotOptions, snapshot } from "./snapshot.js";
import { DEFAULT_LIMITS } from "./state/limits.js";
import { parseTimestamp } from "./timestamp.js";

/** Options of `importCheckpoints`. */
export interface ImportOptions extends SignalOption {
  /** What to do with an id that is taken. Default `refuse`. */
  readonly onConflict?: ImportConflict | undefined;
  /** The longest text to look at, in UTF-16 units. Default 268,435,456. */
  readonly maxCharacters?: number | undefined;
}

/** One entry of an exported text, checked and captured. */
export interface ImportedEntry {
  readonly id: string;
  readonly name: string;
  readonly timestamp: string;
  readonly metadata: Metadata;
  readonly schemaVersion: number | null;
  readonly snapshot: Snapshot;
}

const IMPORT_MAX_CHARACTERS = 268_435_456;

const CONFLICTS: readonly ImportConflict[] = ["refuse", "renumber", "skip"];

/** Containers around a state: the list and the entry. */
const ENVELOPE_DEPTH = 2;

/** Reads a text that `export` wrote, here or in the reference. Rejects with `CKPT_INVALID_IMPORT` or `CKPT_LIMIT`, or what `snapshot` throws. */
export async function readImport(
  text: string,
  capture: SnapshotOptions,
  options: ImportOptions = {},
): Promise<ImportedEntry[]> {
  const { maxCharacters = IMPORT_MAX_CHARACTERS, onConflict } = options;
  if (onConflict !== undefined && !CONFLICTS.includes(onConflict))
    throw new CkptError("CKPT_INVALID_ARGUMENT", {
      message: `onConflict is ${inWords(onConflict)}.`,
      hint: `Give one of ${CONFLICTS.join(", ")}.`,
      details: { option: "onConflict" },
    });
  if (typeof text !== "string")
    throw new CkptError("CKPT_INVALID_ARGUMENT", {
      message: `What to import is ${typeof text}, not a text.`,
      hint: "Give the JSON text that export() wrote.",
    });
  if (typeof maxCharacters !== "number" || !(maxCharacters >= 0))
    throw new CkptError("CKPT_INVALID_ARGUMENT", {
      message: `maxCharacters is ${inWords(maxCharacters)}, not a number of at least 0.`,
      hint: "Leave maxCharacters out for its default.",
      details: { option: "maxCharacters" },
    });
  if (text.length > maxCharacters)
    throw new CkptError("CKPT_LIMIT", {
      message: `The text to import has ${text.length} characters; the limit is ${maxCharacters}.`,
      hint: "Import it in parts, or raise maxCharacters.",
      details: { characters: text.length, maxCharacters },
    });
  // Whatever the limit on a state is, metadata has its own; each is judged again where it is taken.
  const stateDepth = capture.limits?.maxDepth ?? DEFAULT_LIMITS.maxDepth;
  const maxDepth = ENVELOPE_DEPTH + Math.max(stateDepth, METADATA_MAX_DEPTH);
  const entries = await checkShape(parsePythonJson(text, maxDepth));
  let previous: Snapshot | undefined;
  return entries.map((entry, index) => {
    const taken = readEntry(entry, index, { ...capture, ...(previous && { previous }) });
    previous = taken.snapshot;
    return taken;
  });
}

interface RawEntry {
  readonly id: string;
  readonly name: string;
  readonly timestamp: string;
  readonly data: unknown;
  readonly metadata?: unknown;
  readonly schema_version?: number | null | undefined;
  readonly encoding?: string | undefined;
}

async function checkShape(document: unknown): Promise<RawEntry[]> {
  // Loaded on first use: it takes longer to load than all else here.
  const { z } = await import("zod");
  const entry = z.object({
    id: z.string(),
    name: z.string(),
    timestamp: z.string().refine((text) => parseTimestamp(text) !== undefined, {
      error: "must be ISO 8601 with an offset",
    }),
    data: z.custom<unknown>((value) => value !== undefined, { error: "is missing" }),
    metadata: z.unknown().optional(),
    schema_version: z.number().int().min(1).nullish(),
    encoding: z.literal(TAGGED_ENCODING).optional(),
  });
  if (!Array.isArray(document)) throw invalid("$: it is no array", { path: "$" }, undefined);
  // One by one, because a list of all that is wrong with a hostile text would be longer than the text.
  return document.map((item: unknown, index) => {
    const result = entry.safeParse(item);
    if (result.success) return result.data;
    const issue = result.error.issues[0];
    const path = z.core.toDotPath([index, ...(issue?.path ?? [])]);
    throw invalid(`${path}: ${issue?.message ?? "not a checkpoint"}`, { path }, result.error);
  });
}

function readEntry(raw: RawEntry, index: number, capture: SnapshotOptions): ImportedEntry {
  const { id, name, timestamp, data } = raw;
  try {
    return {
      id: validateCheckpointId(id),
      name: validateName(name),
      timestamp,
      metadata: raw.metadata === undefined ? Object.freeze({}) : metadataFromText(raw.metadata),
      schemaVersion: raw.schema_version ?? null,
      snapshot: raw.encoding === undefined ? snapshot(data, capture) : fromTaggedJson(data, capture),
    };
  } catch (error) {
    if (!isCkptError(error)) throw error;
    const details = { path: `[${index}]`, ...error.details };
    if (error.code !== "CKPT_LIMIT") throw invalid(`[${index}]: ${error.message}`, details, error);
    throw new CkptError("CKPT_LIMIT", {
      message: `The text to import is over a limit at [${index}]: ${error.message}`,
      hint: "Raise the limit that is named, if the text is trusted. Nothing was imported.",
      details,
      cause: error,
    });
  }
}

function invalid(says: string, details: Record<string, unknown>, cause: unknown): CkptError {
  return new CkptError("CKPT_INVALID_IMPORT", {
    message: `The text to import is not a list of checkpoints at ${says}`,
    hint: "Give the whole text that export() wrote. Nothing was imported.",
    details,
    cause,
  });
}
