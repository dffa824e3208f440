import { CheckpointManager } from "@ckpt/core";
import { describe, expect, it } from "vitest";
import { z } from "zod";

describe("a zod schema", () => {
  it("judges a state on save, and says where it is wrong", async () => {
    const manager = new CheckpointManager({ schema: z.object({ plan: z.array(z.string()), n: z.number() }) });
    await manager.create("good", { plan: ["a"], n: 1 });
    await expect(manager.create("bad", { plan: ["a", 2 as never], n: 1 })).rejects.toMatchObject({
      code: "CKPT_INVALID_STATE",
      details: { issueCount: 1, issues: [{ path: "$.plan[1]" }] },
    });
    expect(await manager.length).toBe(1);
  });

  it("does not transform what is stored or handed out", async () => {
    const schema = z.object({ n: z.string().transform(Number) });
    const manager = new CheckpointManager<{ n: string }>({ schema });
    const saved = await manager.create("a", { n: "7" });
    expect(await saved.data()).toEqual({ n: "7" });
  });

  it("is refused on save when it is asynchronous, because capture is synchronous", async () => {
    const manager = new CheckpointManager({ schema: z.number().refine(async () => true) });
    await expect(manager.create("a", 1)).rejects.toMatchObject({ code: "CKPT_UNSUPPORTED" });
    expect(await manager.length).toBe(0);
  });
});
