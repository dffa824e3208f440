import type { RecordSink } from "@ckpt/core";
import type { PutEntry } from "./entry.js";
import { BadRecord, overlap } from "./record-frames.js";

/**
 * Hands the bodies of one record on to those puts of a chain that it holds, whose sections lie in it one behind another: the record is
 * read and checked once, however many they are.
 */
export class RecordFeed {
  readonly #puts: readonly PutEntry[];
  readonly #begin: (put: PutEntry) => RecordSink;
  #next = 0;
  #sink: RecordSink | undefined;
  #body: Uint8Array = new Uint8Array();
  /** Where the body begins in the record. */
  #at = 0;

  /** `begin`: called for each put, when the one before has ended. */
  constructor(puts: readonly PutEntry[], begin: (put: PutEntry) => RecordSink) {
    this.#puts = puts;
    this.#begin = begin;
  }

  /** Takes the next body; {@link step} hands it on. */
  take(body: Uint8Array): void {
    this.#at += this.#body.length;
    this.#body = body;
  }

  /** Gives one put what the body has of it. False: the next body is wanted. */
  step(): boolean {
    const put = this.#puts[this.#next];
    if (put === undefined) return false;
    const end = put.sectionOffset + put.sectionBytes;
    this.#sink ??= this.#begin(put);
    const part = overlap(this.#body, this.#at, put.sectionOffset, end);
    // What was read lies in buffers of its own, which nothing writes to again.
    if (part !== undefined) this.#sink.push(part, true);
    if (this.#at + this.#body.length < end) return false;
    this.#sink.end();
    this.#sink = undefined;
    this.#next++;
    return true;
  }

  /** The record has ended. Throws {@link BadRecord} where a put was to have more of it. */
  end(): void {
    const put = this.#puts[this.#next];
    if (put !== undefined) throw new BadRecord(put.offset, "the record is too short");
  }
}

/** How many puts from `from` on lie in one record, in its order. */
export function countInRecord(chain: readonly PutEntry[], from: number): number {
  let before = chain[from]!;
  let count = 1;
  for (let put = chain[from + 1]; put !== undefined; put = chain[from + ++count]) {
    if (put.offset !== before.offset || put.length !== before.length) break;
    if (put.sectionOffset < before.sectionOffset + before.sectionBytes) break;
    before = put;
  }
  return count;
}
