import { createHash } from "node:crypto";
import { CkptError } from "@ckpt/errors";
import { crc32 } from "./crc32.js";

/** Which checksum to compute over bytes that pass. */
export type ChecksumKind = "crc32" | "sha256";

/** A running checksum. */
export interface Checksum {
  readonly kind: ChecksumKind;
  update(bytes: Uint8Array): void;
  /** In lower-case hex: 8 digits for crc32, 64 for sha256. Once. */
  digest(): string;
}

/** A fresh running checksum. Throws `CKPT_INVALID_ARGUMENT` for a kind that is not one of them. */
export function createChecksum(kind: ChecksumKind): Checksum {
  if (kind !== "sha256" && kind !== "crc32")
    throw new CkptError("CKPT_INVALID_ARGUMENT", {
      message: `The checksum is ${JSON.stringify(kind)}; it must be "crc32" or "sha256"`,
      hint: "Leave it out to get the default.",
      details: { argument: "checksum", value: kind },
    });
  if (kind === "sha256") {
    const hash = createHash("sha256");
    return { kind, update: (bytes) => void hash.update(bytes), digest: () => hash.digest("hex") };
  }
  let value = 0;
  return {
    kind,
    update: (bytes) => {
      value = crc32(bytes, value);
    },
    digest: () => value.toString(16).padStart(8, "0"),
  };
}
