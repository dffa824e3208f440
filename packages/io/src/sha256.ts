import crypto from "node:crypto";

type OneShot = (algorithm: string, data: Uint8Array, encoding: "buffer") => Buffer;

// crypto.hash came with Node 20.12 and 21.7; it saves the object of a streaming hash.
const oneShot = (crypto as { hash?: OneShot }).hash;

/** SHA-256 of one small piece of bytes. */
export const sha256: (bytes: Uint8Array) => Buffer =
  oneShot === undefined
    ? (bytes) => crypto.createHash("sha256").update(bytes).digest()
    : (bytes) => oneShot("sha256", bytes, "buffer");
