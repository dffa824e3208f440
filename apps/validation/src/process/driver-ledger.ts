/** What drivers printed: which saves were tried and which were acknowledged, per agent. */
export class DriverLedger {
  readonly #tried = new Map<string, Map<number, Set<string>>>();
  readonly #acked = new Map<string, number>();
  acknowledged = 0;
  readonly errors: string[] = [];
  readonly tries: string[] = [];

  line(text: string): void {
    const [verb, key, number, rest] = text.split(" ");
    if (key === undefined || number === undefined || rest === undefined) return;
    const i = Number(number);
    if (verb === "TRY") {
      this.tries.push(text);
      const numbers = this.#tried.get(key) ?? new Map<number, Set<string>>();
      this.#tried.set(key, numbers);
      numbers.set(i, (numbers.get(i) ?? new Set()).add(rest));
    } else if (verb === "ACK") {
      this.acknowledged += 1;
      this.#acked.set(key, Math.max(i, this.#acked.get(key) ?? -1));
    } else if (verb === "ERR") this.errors.push(text);
  }

  /** The highest number that each agent has had acknowledged by now. */
  acknowledgedSoFar(): ReadonlyMap<string, number> {
    return new Map(this.#acked);
  }

  /**
   * Compares what `serve` answered: nothing that was acknowledged when it was asked may be lost, nothing that was never
   * tried may come back.
   */
  check(
    answers: Record<string, { i: number; sha: string } | { error: string }>,
    acknowledged: ReadonlyMap<string, number> = this.#acked,
  ): { lost: string[]; wrong: string[] } {
    const lost: string[] = [];
    const wrong: string[] = [];
    for (const [key, newest] of acknowledged) {
      const answer = answers[key];
      if (answer === undefined || "error" in answer)
        lost.push(
          `${key}: ${newest} was acknowledged, and nothing can be restored${answer ? ` (${answer.error})` : ""}`,
        );
      else if (answer.i < newest) lost.push(`${key}: ${newest} was acknowledged, ${answer.i} came back`);
    }
    for (const [key, answer] of Object.entries(answers)) {
      if ("error" in answer) continue;
      if (!this.#tried.get(key)?.get(answer.i)?.has(answer.sha))
        wrong.push(`${key}: ${answer.i} came back as a state that was never put`);
    }
    return { lost, wrong };
  }
}
