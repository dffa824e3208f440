/** CRC-32 (IEEE 802.3, reflected 0xEDB88320) by the slicing-by-4 tables; for Node releases without `zlib.crc32`. */
function buildTables(): Uint32Array {
  const tables = new Uint32Array(4 * 256);
  for (let n = 0; n < 256; n++) {
    let c = n;
    for (let bit = 0; bit < 8; bit++) c = (c & 1) === 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1;
    tables[n] = c >>> 0;
  }
  for (let n = 0; n < 256; n++) {
    let c = tables[n]!;
    for (let slice = 1; slice < 4; slice++) {
      c = (c >>> 8) ^ tables[c & 0xff]!;
      tables[slice * 256 + n] = c >>> 0;
    }
  }
  return tables;
}

let tables: Uint32Array | undefined;

/** The CRC-32 of `bytes`, continuing from `seed` (0 for a fresh one). Equal to `zlib.crc32`. */
export function tableCrc32(bytes: Uint8Array, seed = 0): number {
  tables ??= buildTables();
  const t = tables;
  let c = ~seed >>> 0;
  let i = 0;
  for (const whole = bytes.length - (bytes.length & 3); i < whole; i += 4) {
    c ^= bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
    c = t[768 + (c & 0xff)]! ^ t[512 + ((c >>> 8) & 0xff)]! ^ t[256 + ((c >>> 16) & 0xff)]! ^ t[c >>> 24]!;
  }
  for (; i < bytes.length; i++) c = (c >>> 8) ^ t[(c ^ bytes[i]!) & 0xff]!;
  return ~c >>> 0;
}
