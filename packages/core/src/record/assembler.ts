import { Snapshot } from "../snapshot.js";
import { corrupt, overLimit } from "../state/corrupt.js";
import { toHex } from "../state/digest.js";
import { type ResolvedLimits, resolveLimits, type SnapshotLimits } from "../state/limits.js";
import { UnbuiltState } from "../state/unbuilt.js";
import type { Slot } from "./branch.js";
import { BranchHash } from "./branch-hash.js";
import { BranchValue } from "./branch-value.js";
import { buildNode } from "./build.js";
import { Closing } from "./close.js";
import { editSlot } from "./edit.js";
import { DELTA, KEYFRAME, type Structure } from "./format.js";
import { RecordParser } from "./parser.js";
import { type Part, PartSource, readPart, TextPart } from "./part.js";

const MAX_UNPARSED_BYTES = 16_777_216;

/** Takes the bytes of one record, in any portions. */
export interface RecordSink {
  /**
   * The next bytes. They are read during the call and may be overwritten after it, unless `isKept` (default false) says that nobody
   * will: then they are not copied. Throws as soon as they cannot be right.
   */
  push(bytes: Uint8Array, isKept?: boolean): void;
  /** The record is complete: it takes effect. Throws `CKPT_CORRUPT` when it is not. */
  end(): void;
}

/**
 * Rebuilds a state from one keyframe and the deltas after it, applied in place on a private tree: the cost is that of
 * reading the records, however long the chain.
 *
 * Everything it reads is hostile. Damage of any kind is `CKPT_CORRUPT`, a state over the limits `CKPT_LIMIT`; after either,
 * or out of turn, the assembler refuses further use.
 */
export class StateAssembler {
  private readonly limits: ResolvedLimits;
  private root: Slot | undefined;
  private unparsed = 0;
  private status: "empty" | "reading" | "ready" | "failed" | "finished" = "empty";

  /** Throws `CKPT_INVALID_ARGUMENT` for limits that are none. */
  constructor(limits?: SnapshotLimits) {
    this.limits = resolveLimits(limits);
  }

  /** Begins the record of the whole state; the first, and only once. */
  keyframe(): RecordSink {
    this.begin("empty");
    return this.sink(KEYFRAME, (structure, parts) => buildNode(structure, parts, this.limits, 0));
  }

  /** Begins the record of the next delta. */
  delta(): RecordSink {
    this.begin("ready");
    return this.sink(DELTA, (structure, parts) =>
      structure === null ? this.root! : editSlot(this.root!, structure, parts, this.limits, 0),
    );
  }

  /** The state, if its hash is `expectedHash` (64 hex digits): otherwise `CKPT_CORRUPT` with `details` { expected, actual }. */
  finish(expectedHash: string): Snapshot {
    this.begin("ready");
    const root = this.root!;
    const { limits } = this;
    const actual = this.guarded(() => toHex(new BranchHash(limits).root(root)));
    this.root = undefined;
    this.status = "finished";
    if (actual !== expectedHash) {
      throw corrupt("A state was read whole, but is not the one that was saved: its hash differs.", {
        expected: expectedHash,
        actual,
      });
    }
    const build = () => new Closing(limits).node(root, 0);
    return new Snapshot(
      new UnbuiltState(actual, build, (codecs) => new BranchValue(codecs, limits).of(root, 0)),
    );
  }

  private begin(expected: "empty" | "ready"): void {
    if (this.status !== expected) {
      throw corrupt("The records of a state are out of turn, or one of them was damaged.", {
        status: this.status,
      });
    }
    this.status = "reading";
  }

  private sink(kind: number, apply: (structure: Structure, parts: PartSource) => Slot): RecordSink {
    const parts: Part[] = [];
    let structure: Structure = null;
    const parser = new RecordParser(kind, {
      structure: (read) => {
        structure = read;
      },
      piece: (bytes, raw) => {
        const { maxNodes } = this.limits;
        // Each piece holds a value at least. What a piece costs besides its bytes must not come before that is looked at.
        if (parts.length >= maxNodes)
          throw overLimit(`A stored record has more than ${maxNodes} pieces.`, { maxNodes });
        const part = readPart(bytes, raw, this.limits);
        parts.push(part);
        if (part instanceof TextPart) this.bound(part);
      },
    });
    return {
      push: (bytes, isKept = false) => this.guarded(() => parser.push(bytes, isKept)),
      end: () => {
        this.guarded(() => {
          if (this.status !== "reading") throw corrupt("A record was ended twice, or after damage.");
          parser.end();
          const source = new PartSource(parts);
          this.root = apply(structure, source);
          source.end();
        });
        this.status = "ready";
      },
    };
  }

  /** Texts are kept unparsed up to a bound: beyond it a state would be held twice, as text and as value. */
  private bound(part: TextPart): void {
    this.unparsed += part.unparsedBytes;
    if (this.unparsed > MAX_UNPARSED_BYTES) part.settle();
  }

  private guarded<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      this.status = "failed";
      this.root = undefined;
      throw error;
    }
  }
}
