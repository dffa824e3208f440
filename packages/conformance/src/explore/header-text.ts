import type { CheckpointDraft } from "@ckpt/core";

/** What a header says besides id, agent, sequence and state, as a text to compare: the order of metadata's keys is the store's affair. */
export function headerText({ name, timestamp, parentId, metadata, schemaVersion }: CheckpointDraft): string {
  return JSON.stringify([name, timestamp, parentId, schemaVersion, metadata], (_key, value: unknown) =>
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
}
