import type { AgentState } from "./state.js";

/** The agent's report on its work, in Markdown: what it found, what is open, what it took. */
export function report(state: AgentState, folder: string): string {
  const { findings, counters, queue, current, step } = state;
  const open = [...(current === null ? [] : [current]), ...queue].map(
    (task) => `- ${task.text.split("\n", 1)[0]}`,
  );
  const calls = [...counters.toolCalls]
    .sort((a, b) => b[1] - a[1])
    .map(([name, times]) => `${name} ${times}`);
  const found = [...findings.values()].map(({ request, summary, notes, steps }) => {
    const written =
      notes.length === 0 ? "" : `\n\nNotes: ${notes.map((note) => `[${note}](notes/${note})`).join(", ")}`;
    return `## ${request}\n\n${summary}${written}\n\n${steps} steps.`;
  });
  return [
    "# What the agent found",
    `Folder: \`${folder}\`. ${findings.size} tasks in ${step} steps; ${counters.modelCalls} answers of the model, about ` +
      `${counters.tokens} tokens; tools: ${calls.join(", ") || "none"}; ${counters.toolFailures} tool calls failed, ` +
      `${counters.rollbacks} rollbacks.`,
    ...found,
    ...(open.length === 0 ? [] : [`## Open\n\n${open.join("\n")}`]),
    "",
  ].join("\n\n");
}
