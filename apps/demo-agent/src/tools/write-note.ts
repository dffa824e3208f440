import { join } from "node:path";
import { writeAtomic } from "@ckpt/io";
import { tool } from "ai";
import { z } from "zod";

const MAX_NOTE = 20_000;

/** A note's file name comes from its title, so a step that is done again writes the same file again. */
const noteName = (title: string): string => {
  const stem = title
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 60);
  return `${stem || "note"}.md`;
};

export const writeNote = (directory: string) =>
  tool({
    description: "Writes a note in Markdown. A note with the same title is replaced.",
    inputSchema: z.object({ title: z.string().min(1).max(200), text: z.string().max(MAX_NOTE) }),
    execute: async ({ title, text }) => {
      const name = noteName(title);
      await writeAtomic(join(directory, name), Buffer.from(`# ${title}\n\n${text}\n`));
      return { note: name, bytes: Buffer.byteLength(text) };
    },
  });
