/*
 * The form of a record; docs/format.md, "State records and hash", is its description.
 *
 *   u8 version, u8 kind, u32 structure length, u32 number of pieces, structure text,
 *   then each piece: u32 length (top bit: raw bytes instead of JSON text), its bytes.
 */

export const RECORD_VERSION = 1;
export const KEYFRAME = 1;
export const DELTA = 2;
export const HEADER_BYTES = 10;
export const LENGTH_BYTES = 4;
/** In a piece's length: the piece is raw bytes. */
export const RAW_FLAG = 0x8000_0000;
export const MAX_PIECE_BYTES = 0x7fff_ffff;

/** Structure of a new node: 0 takes one piece; the others are lists that begin with these letters. */
export const LARGE_ARRAY = "A";
export const LARGE_OBJECT = "O";
export const BINARY = "B";

/** Structure of a change: lists that begin with these letters; null is no change at all. */
export const REPLACE = "r";
export const EDIT_ARRAY = "a";
export const EDIT_OBJECT = "o";
export const EDIT_TEXT = "t";
export const EDIT_BYTES = "b";

/** What a structure text may hold. */
export type Structure = null | number | string | readonly Structure[];
