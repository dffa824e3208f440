import { tool } from "ai";
import { z } from "zod";
import type { Sandbox } from "./sandbox.js";

export const count = (folder: Sandbox) =>
  tool({
    description: "Counts the lines, words and bytes of a file, and how often a text occurs in it.",
    inputSchema: z.object({ path: z.string(), text: z.string().min(1).max(200).optional() }),
    execute: async ({ path, text }) => {
      const content = await folder.read(path);
      return {
        path,
        lines: content.split("\n").length,
        words: content.match(/\S+/g)?.length ?? 0,
        bytes: Buffer.byteLength(content),
        occurrences: text === undefined ? null : content.split(text).length - 1,
      };
    },
  });
