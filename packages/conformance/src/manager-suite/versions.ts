import { MemoryStore, type StandardSchema } from "@ckpt/core";
import { describe, expect, it } from "vitest";
import { type ManagerUnderTest, opener, rejection } from "./bench.js";
import { schemaOf } from "./schema-of.js";

/** Schema, version and migrations. */
export function versions(subject: ManagerUnderTest): void {
  describe("schema and versions", () => {
    const open = opener(subject);

    it("judges a state on save, says where, and keeps nothing of a bad one", async () => {
      const schema = schemaOf<{ plan: string[]; n: number }>(({ plan }) =>
        plan.flatMap((step, i) =>
          typeof step === "string" ? [] : [{ message: "no text", path: ["plan", i] }],
        ),
      );
      const manager = await open({ schema });
      await manager.create("good", { plan: ["a"], n: 1 });
      const { code, error } = await rejection(manager.create("bad", { plan: ["a", 2 as never], n: 1 }));
      expect(code).toBe("CKPT_INVALID_STATE");
      expect(error).toMatchObject({ details: { issueCount: 1, issues: [{ path: "$.plan[1]" }] } });
      expect(await manager.length).toBe(1);
    });

    it("does not transform what is stored or handed out", async () => {
      const schema: StandardSchema<{ n: string }> = {
        "~standard": {
          version: 1,
          vendor: "test",
          validate: (value) => ({ value: { n: Number((value as { n: string }).n) } as never }),
        },
      };
      const manager = await open<{ n: string }>({ schema });
      const saved = await manager.create("a", { n: "7" });
      expect(await saved.data()).toEqual({ n: "7" });
    });

    it("judges a state on restore, and leaves the snapshot readable", async () => {
      let strict = false;
      const schema: StandardSchema<unknown> = {
        "~standard": {
          version: 1,
          vendor: "test",
          validate: (value) => (strict ? { issues: [{ message: "no longer" }] } : { value }),
        },
      };
      const manager = await open({ schema });
      const saved = await manager.create("a", { n: 1 });
      strict = true;
      const { code, error } = await rejection(saved.data());
      expect(code).toBe("CKPT_INVALID_STATE");
      expect(error.message).toContain(saved.id);
      expect((await saved.snapshot()).toValue()).toEqual({ n: 1 });
    });

    it("refuses an asynchronous schema on save, because capture is synchronous", async () => {
      const validate = async (value: unknown) => ({ value });
      const schema: StandardSchema<unknown> = { "~standard": { version: 1, vendor: "test", validate } };
      const manager = await open({ schema });
      expect((await rejection(manager.create("a", 1))).code).toBe("CKPT_UNSUPPORTED");
      expect(await manager.length).toBe(0);
    });

    it("says when a schema throws, and keeps the cause", async () => {
      const cause = new TypeError("broken");
      const validate = () => {
        throw cause;
      };
      const manager = await open({ schema: { "~standard": { version: 1, vendor: "test", validate } } });
      const { code, error } = await rejection(manager.create("a", 1));
      expect(code).toBe("CKPT_INVALID_STATE");
      expect(error.cause).toBe(cause);
    });

    it("carries old states forward step by step on read, and leaves them as they were stored", async () => {
      const store = new MemoryStore();
      const first = await open<{ n: number }>({ sessionId: "s", store, version: 1 });
      const old = await first.create("a", { n: 1 });
      await first.close();
      const steps: string[] = [];
      const second = await open<{ n: number; plan: string[]; done: boolean }>({
        sessionId: "s",
        store,
        version: 3,
        migrations: {
          1: (state: { n: number }) => {
            steps.push("1 to 2");
            return { ...state, plan: [] };
          },
          2: async (state: { n: number; plan: string[] }) => {
            steps.push("2 to 3");
            return { ...state, done: false };
          },
        },
        schema: schemaOf(({ done }) => (typeof done === "boolean" ? [] : [{ message: "no done" }])),
      });
      const found = await second.get("s:1");
      expect(await found?.data()).toEqual({ n: 1, plan: [], done: false });
      expect(steps).toEqual(["1 to 2", "2 to 3"]);
      expect((await found?.snapshot())?.toValue()).toEqual({ n: 1 });
      expect(found?.stateHash).toBe(old.stateHash);
      expect(await second.rollbackTo("s:1")).toEqual({ n: 1, plan: [], done: false });
      const saved = await second.create("a", { n: 2, plan: ["x"], done: true });
      expect(saved.schemaVersion).toBe(3);
      steps.length = 0;
      await saved.data();
      expect(steps).toEqual([]);
    });

    it("counts a state without a version as version 1, or as 0 where there is a step from 0", async () => {
      const store = new MemoryStore();
      const plain = await open<unknown>({ sessionId: "s", store });
      await plain.create("a", 1);
      await plain.close();
      const one = await open<unknown>({
        sessionId: "s",
        store,
        version: 2,
        migrations: { 1: () => "from 1" },
      });
      expect(await (await one.getLatest())?.data()).toBe("from 1");
      await one.close();
      const zero = await open<unknown>({
        sessionId: "s",
        store,
        version: 2,
        migrations: { 0: () => "from 0", 1: (state: string) => `${state} and 1` },
      });
      expect(await (await zero.getLatest())?.data()).toBe("from 0 and 1");
    });

    it("refuses a newer version than it knows, naming both, and lists it all the same", async () => {
      const store = new MemoryStore();
      const newer = await open<unknown>({ sessionId: "s", store, version: 5 });
      await newer.create("a", 1);
      await newer.close();
      for (const version of [undefined, 4]) {
        const older = await open<unknown>({ sessionId: "s", store, version });
        const checkpoint = await older.getLatest();
        const { code, error } = await rejection(checkpoint!.data());
        expect(code).toBe("CKPT_NEWER_VERSION");
        expect(error).toMatchObject({ details: { storedVersion: 5, knownVersion: version ?? 1 } });
        expect((await rejection(older.rollbackTo("s:1"))).code).toBe("CKPT_NEWER_VERSION");
        expect(checkpoint?.schemaVersion).toBe(5);
        await older.close();
      }
    });

    it("names the step of a migration that throws, and the head stays", async () => {
      const store = new MemoryStore();
      const first = await open<unknown>({ sessionId: "s", store, version: 1 });
      await first.create("a", 1);
      await first.create("a", 2);
      await first.close();
      const cause = new Error("cannot");
      const migrations = {
        1: () => {
          throw cause;
        },
      };
      const second = await open<unknown>({ sessionId: "s", store, version: 2, migrations });
      const { code, error } = await rejection(second.rollbackTo("s:1"));
      expect(code).toBe("CKPT_MIGRATION_FAILED");
      expect(error.cause).toBe(cause);
      expect(error).toMatchObject({ details: { checkpointId: "s:1", from: 1, to: 2 } });
      expect((await second.create("a", 3)).parentId).toBe("s:2");
    });

    it("names the step that is missing for a state older than the first one", async () => {
      const store = new MemoryStore();
      const first = await open<unknown>({ sessionId: "s", store, version: 1 });
      const saved = await first.create("a", 1);
      await first.close();
      const second = await open<unknown>({ sessionId: "s", store, version: 3, migrations: { 2: (s) => s } });
      const { code, error } = await rejection((await second.get(saved.id))!.data());
      expect(code).toBe("CKPT_MIGRATION_FAILED");
      expect(error.message).toContain("version 1");
    });

    it.each([
      [
        "a gap",
        { version: 4, migrations: { 1: (s: never) => s, 3: (s: never) => s } },
        "from version 2 to 3",
      ],
      ["a step beyond the version", { version: 2, migrations: { 2: (s: never) => s } }, "from 2"],
      ["no version", { migrations: { 1: (s: never) => s } }, "no version"],
      ["a version of 0", { version: 0 }, "version is 0"],
      ["a fraction", { version: 1.5 }, "1.5"],
    ])("refuses %s in the options", async (_, options, says) => {
      const { code, error } = await rejection((async () => open<unknown>(options))());
      expect(code).toBe("CKPT_INVALID_ARGUMENT");
      expect(error.message).toContain(says);
    });
  });
}
