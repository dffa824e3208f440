import { expect, it } from "vitest";
import { runOps } from "./support/overlap-driver.js";
import { type Op, opsOf, type Setting, shrink } from "./support/overlap-ops.js";

const SEEDS = 120;
const CALLS = 14;

const CLOSE: Op = { kind: "close", agent: 0, hops: 0, turns: 0, pick: 0, abortAfter: -1, variant: 0 };

const settings: Record<string, (bit: (n: number) => boolean) => Partial<Setting>> = {
  "and nothing fails": () => ({}),
  "and collect takes time": (bit) => ({ asyncCollect: true, savingApply: bit(2) }),
  "and an apply saves, where history is short": (bit) => ({
    savingApply: true,
    maxCheckpoints: bit(3) ? 2 : 4,
  }),
  "and commits fail": () => ({ failingCommits: true, savingApply: true }),
  "and applies fail, where history is short": (bit) => ({
    failingApply: true,
    maxCheckpoints: bit(3) ? 3 : 0,
  }),
  "and all of that, until a close": () => ({
    asyncCollect: true,
    savingApply: true,
    failingCommits: true,
    failingApply: true,
    maxCheckpoints: 3,
  }),
};

it.each(Object.entries(settings))(
  "calls in any order end with heads that are the live states (%s)",
  async (name, of) => {
    for (let seed = 1; seed <= SEEDS; seed++) {
      const bit = (n: number) => (seed >> n) % 2 === 1;
      const setting: Setting = {
        seed,
        agents: 1 + (seed % 3),
        asyncCollect: false,
        asyncApply: bit(1),
        savingApply: false,
        failingCommits: false,
        failingApply: false,
        maxCheckpoints: 0,
        ...of(bit),
      };
      // A group whose collects end one after another saves what the first of them gave, whatever came since.
      const isGroup = ({ kind }: Op) => kind === "group" && setting.asyncCollect;
      const ops = opsOf(setting, CALLS).filter((op) => !isGroup(op));
      if (name.endsWith("close")) ops.push(CLOSE);
      const wrong = await runOps(setting, ops);
      if (wrong.length > 0)
        expect({
          setting,
          wrong,
          ops: await shrink(ops, async (fewer) => (await runOps(setting, fewer)).length > 0),
        }).toBe("right");
    }
  },
  60_000,
);
