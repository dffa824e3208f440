import fc from "fast-check";

/** How often each property runs; `CKPT_PROPERTY_RUNS` sets it. */
export const RUNS = Number(process.env.CKPT_PROPERTY_RUNS ?? 300);

/** Parameters for a property: a seed of its own for each run of the suite, printed with the name so that it can be repeated. */
export function parameters(name: string, share = 1): fc.Parameters<unknown> {
  const seed = Number(process.env.CKPT_PROPERTY_SEED ?? Math.floor(Math.random() * 2 ** 31));
  console.log(`${name}: seed ${seed}, ${Math.max(1, Math.ceil(RUNS * share))} runs`);
  // Shrinking a rich state can take minutes: asked for with CKPT_PROPERTY_SHRINK=1 and the printed seed.
  return {
    seed,
    numRuns: Math.max(1, Math.ceil(RUNS * share)),
    endOnFailure: process.env.CKPT_PROPERTY_SHRINK !== "1",
  };
}

const key = fc.oneof(
  { weight: 6, arbitrary: fc.string({ maxLength: 6 }) },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      "$ckpt",
      "$$ckpt",
      "$$$ckpt",
      "__proto__",
      "constructor",
      "toJSON",
      "v",
      "0",
      "7",
      "a/b",
      "~",
    ),
  },
);

/** Texts with everything that UTF-16 can hold, lone surrogates included. */
export const text = fc.oneof(
  fc.string({ maxLength: 12 }),
  fc.string({ unit: "binary", maxLength: 12 }),
  fc
    .array(fc.integer({ min: 0xd7f0, max: 0xe010 }), { maxLength: 6 })
    .map((units) => String.fromCharCode(...units)),
  fc.integer({ min: 300, max: 10_000 }).map((length) => "words of many kinds, ".repeat(length / 21)),
);

const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 24 }),
  fc.integer({ min: 250, max: 700 }).map((length) => new Uint8Array(length).map((_, i) => i * 7)),
);

function whole(data: Uint8Array, size: number): ArrayBuffer {
  const buffer = new ArrayBuffer(data.length - (data.length % size));
  new Uint8Array(buffer).set(data.subarray(0, buffer.byteLength));
  return buffer;
}

const binary = fc.tuple(bytes, fc.nat(13)).map(([data, kind]): unknown => {
  const make = [
    () => new Uint8Array(whole(data, 1)),
    () => new Uint8ClampedArray(whole(data, 1)),
    () => new Uint16Array(whole(data, 2)),
    () => new Uint32Array(whole(data, 4)),
    () => new Int8Array(whole(data, 1)),
    () => new Int16Array(whole(data, 2)),
    () => new Int32Array(whole(data, 4)),
    () => new BigInt64Array(whole(data, 8)),
    () => new BigUint64Array(whole(data, 8)),
    () => new Float32Array(whole(data, 4)),
    () => new Float64Array(whole(data, 8)),
    () => Buffer.from(data),
    () => whole(data, 1),
    () => new DataView(whole(data, 1)),
  ];
  return make[kind]!();
});

const error = fc
  .tuple(
    fc.nat(8),
    fc.string({ maxLength: 8 }),
    fc.option(fc.string({ maxLength: 4 })),
    fc.option(fc.integer()),
  )
  .map(([kind, message, code, cause]): unknown => {
    const options = cause === null ? undefined : { cause };
    const types = [Error, TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError];
    const made =
      kind >= types.length
        ? new AggregateError([new Error("part"), message], message, options)
        : new types[kind]!(message, options);
    if (code !== null) Object.assign(made, { code });
    if (kind === 2) Reflect.deleteProperty(made, "message");
    if (kind === 3) made.name = "Renamed";
    if (kind === 4) Object.assign(made, { stack: undefined });
    return made;
  });

const leaf: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 5, arbitrary: text },
  { weight: 4, arbitrary: fc.double() },
  { weight: 3, arbitrary: fc.integer() },
  {
    weight: 2,
    arbitrary: fc.constantFrom(undefined, null, true, false, Number.NaN, 0, -0, Infinity, -Infinity, 1e21),
  },
  { weight: 1, arbitrary: fc.bigInt() },
  { weight: 1, arbitrary: fc.date({ noInvalidDate: false }) },
  { weight: 1, arbitrary: binary },
  { weight: 1, arbitrary: error },
  { weight: 1, arbitrary: fc.webUrl().map((url) => new URL(url)) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.constantFrom("a+", "(?<n>x)|y", "[/]", ""), fc.constantFrom("", "gi", "y", "dsu"), fc.nat(3))
      .map(([source, flags, lastIndex]) => Object.assign(new RegExp(source, flags), { lastIndex })),
  },
);

function record(entries: readonly (readonly [string, unknown])[], proto: object | null): object {
  const result: object = Object.create(proto);
  for (const [name, value] of entries) {
    Object.defineProperty(result, name, { value, enumerable: true, configurable: true, writable: true });
  }
  return result;
}

/** Any value that a snapshot takes: nested, with every rich type, keys of every kind. */
export const richState: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof({ depthSize: "small", withCrossShrink: true }, leaf, tie("container")),
  container: fc.oneof(
    fc.array(tie("value"), { maxLength: 6 }),
    fc
      .array(fc.tuple(key, tie("value")), { maxLength: 6 })
      .map((entries) => record(entries, Object.prototype)),
    fc.array(fc.tuple(key, tie("value")), { maxLength: 3 }).map((entries) => record(entries, null)),
    fc.array(fc.tuple(tie("value"), tie("value")), { maxLength: 3 }).map((entries) => new Map(entries)),
    fc.array(tie("value"), { maxLength: 3 }).map((members) => new Set(members)),
  ),
})).value as fc.Arbitrary<unknown>;

/** Plain states like those of agents: messages with texts, lists, counters; large ones among them. */
export const agentState: fc.Arbitrary<{ messages: unknown[]; [key: string]: unknown }> = fc.record({
  step: fc.nat(),
  messages: fc.array(
    fc.oneof(
      fc.record({ role: fc.constantFrom("user", "assistant"), content: text }),
      fc.record({
        role: fc.constant("tool"),
        content: fc.array(fc.record({ type: fc.constant("text"), text }), { maxLength: 3 }),
      }),
      richState,
    ),
    { maxLength: 24 },
  ),
  memory: fc.dictionary(fc.string({ maxLength: 5 }), richState, { maxKeys: 6 }),
});
