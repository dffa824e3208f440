import { type Snapshot, type SnapshotLimits, StateAssembler } from "@ckpt/core";

export const KEYFRAME = 1;
export const DELTA = 2;

/** A record with any structure (text as it is) and pieces, as an attacker would write it. */
export function forge(
  kind: number,
  structure: unknown,
  pieces: readonly (string | Uint8Array)[] = [],
  announced = pieces.length,
): Buffer {
  const text = Buffer.from(typeof structure === "string" ? structure : JSON.stringify(structure));
  const header = Buffer.alloc(10);
  header[0] = 1;
  header[1] = kind;
  header.writeUInt32LE(text.length, 2);
  header.writeUInt32LE(announced, 6);
  const parts = pieces.flatMap((piece) => {
    const length = Buffer.alloc(4);
    const bytes = Buffer.from(piece);
    length.writeUInt32LE(bytes.length + (typeof piece === "string" ? 0 : 0x8000_0000));
    return [length, bytes];
  });
  return Buffer.concat([header, text, ...parts]);
}

/** Feeds a keyframe and its deltas. */
export function assemble(records: readonly Uint8Array[], limits?: SnapshotLimits): StateAssembler {
  const assembler = new StateAssembler(limits);
  for (const [i, record] of records.entries()) {
    const sink = i === 0 ? assembler.keyframe() : assembler.delta();
    sink.push(record);
    sink.end();
  }
  return assembler;
}

/** Restores what the records hold, by the hash that they have: as from a writer who is hostile and knows how to hash. */
export function restore(records: readonly Uint8Array[], limits?: SnapshotLimits): Snapshot {
  let hash = "";
  try {
    assemble(records, limits).finish(hash);
  } catch (error) {
    hash = (error as { details: { actual?: string } }).details.actual ?? "";
    if (hash === "") throw error;
  }
  return assemble(records, limits).finish(hash);
}
