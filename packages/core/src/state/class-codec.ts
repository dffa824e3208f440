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

const FUNCTIONS = ["is", "encode", "decode"] as const;

/** Checks shape, names and uniqueness. Throws `CKPT_INVALID_ARGUMENT`. */
export function resolveCodecs(codecs: readonly AnyClassCodec[] | undefined): CodecRegistry {
  if (codecs === undefined) return NONE;
  if (!Array.isArray(codecs)) throw unusable("`codecs` is not a list.");
  if (codecs.length === 0) return NONE;
  const names = new Set<string>();
  for (const codec of codecs as readonly (Partial<AnyClassCodec> | null | undefined)[]) {
    if (codec === null || codec === undefined) throw unusable(`A codec is ${String(codec)}.`);
    const { name } = codec;
    if (!isCodecName(name) || names.has(name)) {
      throw new CkptError("CKPT_INVALID_ARGUMENT", {
        message: `A codec's name must match ${NAME.source} and be used once; ${JSON.stringify(name)} is not.`,
        hint: "Give each class codec a short, stable name of its own.",
        details: { name },
      });
    }
    const missing = FUNCTIONS.find((key) => typeof codec[key] !== "function");
    if (missing !== undefined)
      throw unusable(`The codec ${JSON.stringify(name)} has no function ${missing}.`, { name });
    names.add(name);
  }
  return codecs as CodecRegistry;
}

function unusable(message: string, details: Readonly<Record<string, unknown>> = {}): CkptError {
  return new CkptError("CKPT_INVALID_ARGUMENT", {
    message,
    hint: "Give a list of codecs, each { name, is, encode, decode }.",
    details,
  });
}

/** The codec that handles `value`, if any. */
export function codecFor(value: object, codecs: CodecRegistry): ClassCodec<unknown> | undefined {
  for (let i = 0; i < codecs.length; i++) {
    const codec = codecs[i]!;
    if (codec.is(value)) return codec;
  }
  return undefined;
}
