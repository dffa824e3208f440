import { hammingDistance, locateMistake, Siblings, simhash } from "@ckpt/drift";
import { describe, expect, test } from "vitest";

describe("siblings", () => {
  test("name the one that did other things to the world, fact by fact", () => {
    const siblings = new Siblings();
    for (const agent of ["a", "b", "c"]) {
      siblings.observe(agent, { tool: "get_user", arguments: { id: agent } });
      const seats = agent === "c" ? ["9F", "9E", "9D", "8F", "8E", "8D"] : ["1A"];
      siblings.observe(agent, {
        tool: "book_flight",
        arguments: { flight: agent === "c" ? "X1" : "Q7", seats },
      });
    }
    const [worst, ...rest] = siblings.reports();
    expect(worst).toMatchObject({ agentId: "c", disagreement: 9, attempts: 1 });
    expect(worst!.evidence!.message).toContain("book_flight.flight=X1");
    expect(rest.every((report) => report.score < worst!.score)).toBe(true);
  });

  test("agree on nothing but looking around", () => {
    const siblings = new Siblings();
    for (const agent of ["a", "b"])
      siblings.observe(agent, { tool: "search_files", arguments: { q: agent } });
    expect(siblings.reports().every((report) => report.score === 0 && report.evidence === undefined)).toBe(
      true,
    );
  });

  test("know looking from acting by the first word of a name, however it is written", () => {
    const attempts = (tool: string): number => {
      const siblings = new Siblings();
      siblings.observe("a", { tool, arguments: { id: 1 } });
      return siblings.reports()[0]!.attempts;
    };
    for (const tool of ["getUser", "readFile", "get_user", "ListFiles", "SEARCH", "transfer_to_human_agents"])
      expect([tool, attempts(tool)]).toEqual([tool, 0]);
    for (const tool of [
      "transfer_funds",
      "transferTo",
      "getter",
      "setUser",
      "lookout",
      "transfer_to_savings",
    ])
      expect([tool, attempts(tool)]).toEqual([tool, 1]);
  });

  test("take a declared list of what changes the world", () => {
    const siblings = new Siblings({ changesState: (tool) => tool === "get_money" });
    siblings.observe("a", { tool: "get_money", arguments: { amount: 5 } });
    siblings.observe("b", { tool: "book" });
    expect(siblings.reports()[0]).toMatchObject({ agentId: "a", attempts: 1, disagreement: 1 });
  });

  test("bound what they keep of hostile arguments", () => {
    const siblings = new Siblings();
    let deep: unknown = 1;
    for (let i = 0; i < 10_000; i++) deep = [deep];
    siblings.observe("a", {
      tool: "write",
      arguments: { deep, wide: Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`k${i}`, i])) },
    });
    expect(siblings.reports()[0]!.disagreement).toBe(0);
  });
});

describe("the place of a mistake", () => {
  test("is a step that acts, not a tool's output, and probabilities add up to one", () => {
    const steps = [
      { who: "planner", length: 1200 },
      { who: "coder", length: 900, acts: true },
      { who: "terminal", length: 50, isTool: true },
      { who: "critic", length: 400 },
      { who: "planner", length: 20 },
    ];
    const found = locateMistake(steps)!;
    expect(found.step).toBe(1);
    expect(found.probabilities.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 12);
    expect(found.probabilities[2]).toBeLessThan(found.probabilities[3]!);
    expect(found.aroundProbability).toBeGreaterThanOrEqual(found.probability);
  });

  test("of an empty run is nowhere", () => {
    expect(locateMistake([])).toBeUndefined();
  });
});

describe("similarity hashes", () => {
  const long = Array.from({ length: 80 }, (_, i) => `word${i * 31} is number ${i}`).join(" ");

  test("of texts that differ in a word differ in few bits, of different texts in about half", () => {
    expect(hammingDistance(simhash(long), simhash(long))).toBe(0);
    expect(
      hammingDistance(simhash(long), simhash(long.replace("number 40", "number 41"))),
    ).toBeLessThanOrEqual(10);
    expect(
      hammingDistance(simhash(long), simhash("nothing in common with it at all, not even a pair of words")),
    ).toBeGreaterThan(16);
    expect(simhash("")).toBe("0000000000000000");
  });
});
