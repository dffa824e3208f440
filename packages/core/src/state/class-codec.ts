import { CkptError } from "@ckpt/errors";

/**
 * How instances of one class are kept. Stored bytes never choose code: only a codec that the reader registered under the
 * same name brings an instance back.
 */
export interface ClassCodec<T = unknown> {
  /** Stable name, stored with each instance: a letter, then up to 127 letters, digits or `. _ : / @ -`. */
  readonly name: string;
  /** Whether this codec handles `value`. Asked for objects that are not plain, before the built-in rich types. */
  is(value: object): boolean;
  /** A plain value (rich types allowed) that says everything about the instance. Must not keep references to be changed later. */
  encode(value: T): unknown;
  /** A new instance from what `encode` gave. */
  decode(plain: unknown): T;
}

/** Any codec, whatever its class: what lists of codecs hold. */
export type AnyClassCodec = ClassCodec<never> | ClassCodec<unknown>;

export type CodecRegistry = readonly ClassCodec<unknown>[];

const NAME = /^[A-Za-z][\w.:/@-]{0,127}$/;
const NONE: CodecRegistry = Object.freeze([]);

/** Whether `name` may name a class codec. */
export function isCodecName(name: unknown): name is string {
  return typeof name === "string" && NAME.test(name);
}

/** Checks names and uniqueness. Throws `CKPT_INVALID_ARGUMENT`. */
export function resolveCodecs(codecs: readonly AnyClassCodec[] | undefined): CodecRegistry {
  if (codecs === undefined || codecs.length === 0) return NONE;
  const names = new Set<string>();
  for (const { name } of codecs) {
    if (!isCodecName(name) || names.has(name)) {
      throw new CkptError("CKPT_INVALID_ARGUMENT", {
        message: `A codec's name must match ${NAME.source} and be used once; ${JSON.stringify(name)} is not.`,
        hint: "Give each class codec a short, stable name of its own.",
        details: { name },
      });
    }
    names.add(name);
  }
  return codecs as CodecRegistry;
}

/** The codec that handles `value`, if any. */
export function codecFor(value: object, codecs: CodecRegistry): ClassCodec<unknown> | undefined {
  for (let i = 0; i < codecs.length; i++) {
    const codec = codecs[i]!;
    if (codec.is(value)) return codec;
  }
  return undefined;
}
