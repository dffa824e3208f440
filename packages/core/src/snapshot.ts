import type { Json } from "./checkpoint-header.js";
import type { StateNode } from "./node.js";
import { adopt } from "./state/adopt.js";
import { type AnyClassCodec, resolveCodecs } from "./state/class-codec.js";
import { copyTaggedJson } from "./state/copy-tagged.js";
import { toHex } from "./state/digest.js";
import { explainRefusal } from "./state/explain.js";
import { HIGHEST_MAX_DEPTH, resolveLimits, type SnapshotLimits } from "./state/limits.js";
import { hashOf, hashSteps } from "./state/merkle.js";
import { weightOf } from "./state/node-meta.js";
import { toTaggedJson } from "./state/tagged-json.js";
import { toValue } from "./state/to-value.js";
import { UnbuiltState } from "./state/unbuilt.js";
import { Walk } from "./state/walk.js";

/** What {@link snapshot} may be told. */
export interface SnapshotOptions {
  /** The state before: what is equal in it is shared, by reference. */
  readonly previous?: Snapshot;
  /** How instances of classes are kept. @default none: they are refused */
  readonly codecs?: readonly AnyClassCodec[];
  /** Bounds on the state. */
  readonly limits?: SnapshotLimits;
}

/** An immutable state in normal form, with its name: the hash. */
export class Snapshot {
  private tree: StateNode = null;
  private unbuilt: UnbuiltState | undefined;
  private knownHash: string | undefined;
  private knownWeight: number | undefined;

  /** Takes over a frozen, checked tree. Use {@link snapshot}; a tree from elsewhere breaks the promises of this class. */
  constructor(root: StateNode | UnbuiltState) {
    if (root instanceof UnbuiltState) {
      this.unbuilt = root;
      this.knownHash = root.hash;
    } else {
      this.tree = root;
    }
  }

  /**
   * The deep-frozen normal form. Of a state that was restored it is built when it is first asked for; what a writer with the
   * right hash, but no snapshot of this library, has stored is found then, as `CKPT_CORRUPT` or `CKPT_LIMIT`.
   */
  get root(): StateNode {
    if (this.unbuilt !== undefined) {
      this.tree = this.unbuilt.build();
      this.unbuilt = undefined;
    }
    return this.tree;
  }

  /** Deterministic estimate of the encoded size, in bytes. */
  get weight(): number {
    this.knownWeight ??= weightOf(this.root);
    return this.knownWeight;
  }

  /** SHA-256 over the state as it is stored (a Merkle tree), 64 hex digits. Same hash = same state. Worked out once. */
  get hash(): string {
    this.knownHash ??= toHex(hashOf(this.root));
    return this.knownHash;
  }

  /** Whether {@link hash} was worked out already. */
  get isHashed(): boolean {
    return this.knownHash !== undefined;
  }

  /**
   * A fresh, mutable value with its rich types; references shared in the original are equal copies.
   * Throws `CKPT_UNKNOWN_CODEC` when an instance's codec is not in `codecs`, and `CKPT_UNSUPPORTED` when this runtime lacks a type.
   */
  toValue<T = unknown>(codecs?: readonly AnyClassCodec[]): T {
    const registry = resolveCodecs(codecs);
    return (this.unbuilt === undefined ? toValue(this.root, registry) : this.unbuilt.value(registry)) as T;
  }

  /** Plain JSON: rich values as `{ "$ckpt": type, "v": … }`, binary as base64. May share frozen parts with the snapshot. */
  toTaggedJson(): Json {
    return toTaggedJson(this.root);
  }
}

/**
 * Captures a value in one synchronous walk: whatever happens to it afterwards, the snapshot stays.
 *
 * A subtree that equals the previous snapshot's is the previous snapshot's, by reference; arrays are aligned by content.
 * Throws `CKPT_REFUSED_STATE` for what cannot be kept exactly and `CKPT_LIMIT` for a state over its limits, both with
 * `details.path` (a JSON path) and `details.reason`; `CKPT_INVALID_ARGUMENT` for a bad option.
 */
export function snapshot(value: unknown, options: SnapshotOptions = {}): Snapshot {
  const limits = resolveLimits(options.limits);
  const codecs = resolveCodecs(options.codecs);
  const { previous } = options;
  const before = previous?.root;
  let root: StateNode;
  try {
    root = new Walk(limits, codecs, false).root(value, before);
  } catch (cause) {
    throw explainRefusal(value, limits, codecs, cause);
  }
  return previous !== undefined && Object.is(root, before) ? previous : new Snapshot(root);
}

/**
 * The same state, sharing with `previous` whatever is equal: for states that came from different places, such as two
 * restores. Costs one comparison.
 */
export function rebase(state: Snapshot, previous: Snapshot): Snapshot {
  if (state.root === previous.root) return previous;
  const limits = resolveLimits({
    maxDepth: HIGHEST_MAX_DEPTH,
    maxNodes: Number.MAX_SAFE_INTEGER,
    maxBytes: Number.MAX_SAFE_INTEGER,
  });
  const root = new Walk(limits, [], true).root(state.root, previous.root);
  return root === previous.root ? previous : new Snapshot(root);
}

/**
 * Works out `state.hash` without blocking for long: after every few dozen kilobytes of work, `pause` is asked and, when it
 * returns a promise, awaited. A pause may answer `undefined` while little time has passed.
 */
export async function hashInSlices(state: Snapshot, pause: () => Promise<void> | undefined): Promise<string> {
  if (state.isHashed) return state.hash;
  const steps = hashSteps(state.root);
  for (let step = steps.next(); !step.done; step = steps.next()) {
    const waiting = pause();
    if (waiting !== undefined) await waiting;
  }
  return state.hash;
}

/**
 * A snapshot from what {@link Snapshot.toTaggedJson} gave, for import and inspectors. Hostile input is data: throws `CKPT_CORRUPT`
 * for an unknown tag or a payload that no snapshot has, `CKPT_LIMIT` over the limits. The value given is copied.
 */
export function fromTaggedJson(
  json: unknown,
  options: Pick<SnapshotOptions, "limits" | "previous"> = {},
): Snapshot {
  const limits = resolveLimits(options.limits);
  const state = new Snapshot(adopt(copyTaggedJson(json, limits), limits));
  return options.previous === undefined ? state : rebase(state, options.previous);
}
