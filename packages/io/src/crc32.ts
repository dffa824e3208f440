import zlib from "node:zlib";
import { tableCrc32 } from "./crc32-table.js";

type Crc32 = (bytes: Uint8Array, seed?: number) => number;

// zlib.crc32 came with Node 20.15 and 22.2; it is about five times as fast as the tables.
const native = (zlib as { crc32?: Crc32 }).crc32;

/** The CRC-32 of `bytes`, continuing from `seed` (default 0, a fresh one), as an unsigned 32-bit number. */
export const crc32: Crc32 = native ?? tableCrc32;
