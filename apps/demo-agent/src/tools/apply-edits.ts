import { CkptError } from "@ckpt/errors";
import { tool } from "ai";
import { z } from "zod";
import type { AgentState } from "../agent/state.js";
import type { Workshop } from "../agent/workshop.js";

export const Edit = z.object({ path: z.string(), find: z.string().min(1), replace: z.string() });
export type Edit = z.infer<typeof Edit>;

/** Runs `fn` so that the agent's state is put back when it fails. */
export type Guard = <T>(operation: string, fn: () => Promise<T>) => Promise<T>;

/**
 * The risky tool: it changes files one after the other and can fail in the middle, with some changed and some not.
 * It does not clean up after itself; the guard does.
 */
export const applyEdits = (workshop: Workshop, state: () => AgentState, guard: Guard) =>
  tool({
    description:
      "Applies edits to files of the working copy, in order. All of them, or (when one fails) none.",
    inputSchema: z.object({ edits: z.array(Edit).min(1).max(20) }),
    execute: ({ edits }) =>
      guard("apply-edits", async () => {
        for (const [index, edit] of edits.entries())
          await applyOne(workshop, state(), edit, index, edits.length);
        return { applied: edits.length, files: [...new Set(edits.map((edit) => edit.path))] };
      }),
  });

async function applyOne(workshop: Workshop, state: AgentState, edit: Edit, index: number, total: number) {
  const text = await workshop.read(edit.path);
  const at = text.indexOf(edit.find);
  if (at === -1) {
    throw new CkptError("CKPT_NOT_FOUND", {
      message: `Edit ${index + 1} of ${total} failed: ${edit.path} does not contain ${JSON.stringify(edit.find)}.`,
      hint: "Leave that edit out, or correct its text.",
      details: { failedEdit: index, path: edit.path, editsAlreadyWritten: index },
    });
  }
  const changed = text.slice(0, at) + edit.replace + text.slice(at + edit.find.length);
  await workshop.write(edit.path, changed);
  state.drafts.set(edit.path, changed);
}
