import { isAscii } from "node:buffer";
import { corrupt } from "../state/corrupt.js";

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * The text of UTF-8 bytes. ASCII, by far the most common, takes the way that gives a one-byte string. Throws `CKPT_CORRUPT`
 * for bytes that are not UTF-8.
 */
export function decodeText(bytes: Uint8Array): string {
  if (isAscii(bytes)) {
    const buffer =
      bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return buffer.toString("latin1");
  }
  try {
    return strict.decode(bytes);
  } catch (cause) {
    throw corrupt("A part of a record is not UTF-8 text.", { bytes: bytes.length }, cause);
  }
}
