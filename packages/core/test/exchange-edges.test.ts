import { CheckpointManager } from "@ckpt/core";
import { describe, expect, it } from "vitest";

const nested = (levels: number): unknown => (levels === 0 ? 1 : { a: nested(levels - 1) });
const text = (entry: object) =>
  JSON.stringify([{ id: "x:1", name: "a", timestamp: "2026-01-31T09:00:00Z", data: 1, ...entry }]);

describe("what a manager exports, it takes in again", () => {
  it.each([10n ** 4_299n, -(10n ** 4_299n), -(10n ** 4_300n) + 1n, 10n ** 4_300n])(
    "integers of 4,300 digits and more, with their sign (%#)",
    async (state) => {
      const manager = new CheckpointManager<bigint>();
      await manager.create("a", state);
      const other = new CheckpointManager<bigint>();
      await other.importCheckpoints(await manager.export());
      expect((await (await other.getLatest())!.data()) === state).toBe(true);
    },
  );

  it.each([
    { $ckpt: "metadata", v: { a: 1 } },
    { $ckpt: "metadata", v: {} },
    { $ckpt: "metadata", v: [1] },
    { $ckpt: "metadata", v: null },
    { $ckpt: "metadata", v: { $ckpt: "number", v: "NaN" } },
    { $ckpt: "number", v: "NaN" },
    { $ckpt: "metadata" },
    { v: 1, $ckpt: "metadata" },
  ])("metadata that looks like what an import makes: %j", async (metadata) => {
    const manager = new CheckpointManager();
    await manager.create("a", 1, metadata);
    const other = new CheckpointManager();
    await other.importCheckpoints(await manager.export());
    expect((await other.getLatest())?.metadata).toEqual(metadata);
  });

  it("metadata deeper than its limit on states, which still holds for states", async () => {
    const limits = { maxDepth: 2 };
    const manager = new CheckpointManager<unknown>({ limits });
    await manager.create("a", 1, { deep: nested(60) as never });
    const other = new CheckpointManager<unknown>({ limits });
    expect(await other.importCheckpoints(await manager.export())).toBe(1);
    expect((await other.getLatest())?.metadata).toEqual({ deep: nested(60) });
    for (const levels of [3, 100])
      await expect(other.importCheckpoints(text({ data: nested(levels) }))).rejects.toMatchObject({
        code: "CKPT_LIMIT",
      });
    await expect(other.importCheckpoints(text({ metadata: nested(65) }))).rejects.toMatchObject({
      code: "CKPT_LIMIT",
    });
    expect(await other.length).toBe(1);
  });
});

describe("an argument that has no text of its own", () => {
  it.each([
    ["getSince", (m: CheckpointManager) => m.getSince(Object.create(null))],
    ["getBetween", (m: CheckpointManager) => m.getBetween(0, Object.create(null))],
    ["onConflict", (m: CheckpointManager) => m.importCheckpoints("[]", { onConflict: 1n as never })],
    ["maxCharacters", (m: CheckpointManager) => m.importCheckpoints("[]", { maxCharacters: Number.NaN })],
    ["maxCharacters", (m: CheckpointManager) => m.importCheckpoints("[]", { maxCharacters: "9" as never })],
  ])("is refused by %s as any other that is wrong", async (_, call) => {
    await expect(call(new CheckpointManager())).rejects.toMatchObject({ code: "CKPT_INVALID_ARGUMENT" });
  });

  it("and no bound at all is one that can be asked for", async () => {
    const maxCharacters = Number.POSITIVE_INFINITY;
    expect(await new CheckpointManager().importCheckpoints("[]", { maxCharacters })).toBe(0);
  });
});
