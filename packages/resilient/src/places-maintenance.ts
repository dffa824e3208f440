import { type CompactionReport, type StoreFinding, throwIfAborted } from "@ckpt/core";
import type { Place } from "./place.js";
import { isPlaceFailure } from "./place-failure.js";
import { PlacesReader } from "./places-reader.js";
import type { Abortable, VerifyOptions } from "./store-decorator.js";

/** Verifying and compacting several places: each by itself, and what only shows between them. */
export abstract class PlacesMaintenance extends PlacesReader {
  async *verify(options?: VerifyOptions): AsyncIterable<StoreFinding> {
    this.assertOpen();
    for (const place of this.places) {
      try {
        for await (const finding of place.store.verify(options)) yield this.at(place, finding);
      } catch (error) {
        if (!isPlaceFailure(error)) throw error;
        yield this.unreadable(place, error);
      }
    }
    yield* this.disagreements();
  }

  /** Ids under which two places hold different states: nobody can tell which is right, so nothing is changed. */
  protected async *disagreements(): AsyncIterable<StoreFinding> {
    for (const agentId of await this.agents()) {
      const seen = new Map<string, { readonly stateHash: string; readonly place: Place }>();
      for (const place of this.places) {
        const headers = await this.readOr(place, [], () => place.store.list(agentId));
        for (const { id, stateHash } of headers) {
          const first = seen.get(id);
          if (first === undefined) seen.set(id, { stateHash, place });
          else if (first.stateHash !== stateHash) {
            yield {
              kind: "superseded",
              place: `${place.label}: ${id}`,
              message: `${first.place.label} and ${place.label} hold different states as checkpoint ${id} of agent ${agentId}`,
              affectedIds: [id],
              remedy: "Two writers used one place each. Read both, keep one, and remove the other place.",
            };
          }
        }
      }
    }
  }

  /** Compacts every place that is well. Rejects with what the first of them failed with, once the others are through. */
  async compact(options?: Abortable): Promise<CompactionReport> {
    this.assertOpen();
    const total = { bytesBefore: 0, bytesAfter: 0, removedFiles: 0 };
    const failures: unknown[] = [];
    for (const place of this.places) {
      if (place.dropped) continue;
      try {
        const report = await place.store.compact(options);
        total.bytesBefore += report.bytesBefore;
        total.bytesAfter += report.bytesAfter;
        total.removedFiles += report.removedFiles;
      } catch (error) {
        throwIfAborted(options?.signal, "compact");
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
    return total;
  }
}
