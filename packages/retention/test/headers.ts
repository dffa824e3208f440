import type { CheckpointHeader } from "@ckpt/core";
import fc from "fast-check";

export const DAY_MS = 86_400_000;
export const T0 = Date.UTC(2025, 0, 1, 12);

export const propertyRuns = { numRuns: Number(process.env.CKPT_PROPERTY_RUNS ?? 300) };

/** A header with everything but what a test is about filled in. */
export function header(
  sequence: number,
  parts: Partial<CheckpointHeader> & { timeMs?: number } = {},
): CheckpointHeader {
  const { timeMs = T0 + sequence * 60_000, ...rest } = parts;
  return {
    id: `agent:${sequence}`,
    agentId: "agent",
    sequence,
    name: "routine",
    timestamp: new Date(timeMs).toISOString(),
    parentId: sequence > 1 ? `agent:${sequence - 1}` : null,
    stateHash: "0".repeat(64),
    stateBytes: 1_000,
    metadata: {},
    schemaVersion: null,
    epoch: 0,
    ...rest,
  };
}

/** `count` headers, one per minute; `name(i)` of the i-th, from 1. */
export function history(
  count: number,
  name: (sequence: number) => string = () => "routine",
): CheckpointHeader[] {
  return Array.from({ length: count }, (_, i) => header(i + 1, { name: name(i + 1) }));
}

export const sequences = (decisions: readonly { header: CheckpointHeader }[]) =>
  decisions.map((d) => d.header.sequence);

/**
 * Histories with gaps in the sequence, several lines and gaps in them, clocks that step back and forth, several names and sizes.
 */
export const anyHistory = fc
  .array(
    fc.record({
      gap: fc.integer({ min: 1, max: 40 }),
      stepMs: fc.oneof(
        fc.integer({ min: 0, max: 3_600_000 }),
        fc.integer({ min: -DAY_MS, max: 20 * DAY_MS }),
      ),
      name: fc.constantFrom("routine", "recovery", "pre_operation", "before-deploy", "__proto__"),
      stateBytes: fc.integer({ min: 0, max: 5_000 }),
      parentBack: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 8 })),
      parentGone: fc.boolean(),
    }),
    { minLength: 1, maxLength: 60 },
  )
  .map((steps) => {
    let sequence = 0;
    let timeMs = T0;
    const saved: number[] = [];
    return steps.map(({ gap, stepMs, name, stateBytes, parentBack, parentGone }) => {
      const parent = saved.at(-parentBack);
      sequence += gap;
      timeMs += stepMs;
      saved.push(sequence);
      const parentId = parent === undefined ? null : `agent:${parent + (parentGone ? 1 : 0)}`;
      return header(sequence, { timeMs, name, stateBytes, parentId });
    });
  });
