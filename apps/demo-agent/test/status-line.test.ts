import { describe, expect, it } from "vitest";
import { StatusLine } from "../src/parent/status-line.js";
import type { Line } from "../src/shared/protocol.js";

const step = (number: number): Line => ({
  type: "step",
  step: number,
  task: "Outline a.md",
  tool: "read_file",
  action: "read_file {}",
  outcome: "ok",
  durationMs: 30,
  saveMs: 1.25,
  tasksDone: 2,
  tasksWaiting: 3,
});

function output(isTTY: boolean) {
  const written: string[] = [];
  return { isTTY, columns: 60, written, write: (text: string) => written.push(text) };
}

describe("the status line", () => {
  it("is drawn over itself on a terminal, never wider than it, and taken away at the end", () => {
    const terminal = output(true);
    const line = new StatusLine(terminal, output(true));
    line.see(step(1));
    line.end();
    expect(terminal.written[0]!.startsWith("\r\u001b[K")).toBe(true);
    expect(terminal.written[0]).toContain("step 1 | 2 tasks done");
    expect(terminal.written[0]!.length).toBeLessThanOrEqual(59 + "\r\u001b[K".length);
    expect(terminal.written.at(-1)).toBe("\r\u001b[K");
  });

  it("is plain text now and then elsewhere, without a control character", () => {
    const pipe = output(false);
    const events = output(false);
    const line = new StatusLine(pipe, events);
    for (let i = 1; i <= 50; i++) line.see(step(i));
    line.event("KILL");
    line.end();
    expect(pipe.written).toHaveLength(2);
    expect(pipe.written[1]).toMatch(/^ +\d+\.\ds step 50 \| .*\n$/);
    expect(events.written).toEqual([expect.stringMatching(/s KILL\n$/)]);
    expect([...pipe.written, ...events.written].join("")).not.toContain("\u001b");
  });
});
