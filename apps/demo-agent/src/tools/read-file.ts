import { tool } from "ai";
import { z } from "zod";
import type { Sandbox } from "./sandbox.js";

const MAX_LINES = 200;

export const readFile = (folder: Sandbox) =>
  tool({
    description: "Reads lines of a text file. Goes on at `nextLine`; null there means the end.",
    inputSchema: z.object({
      path: z.string(),
      fromLine: z.number().int().min(1).default(1),
      lines: z.number().int().min(1).max(MAX_LINES).default(60),
    }),
    execute: async ({ path, fromLine, lines }) => {
      const all = (await folder.read(path)).split("\n");
      const end = Math.min(all.length, fromLine - 1 + lines);
      return {
        path,
        totalLines: all.length,
        text: all.slice(fromLine - 1, end).join("\n"),
        nextLine: end < all.length ? end + 1 : null,
      };
    },
  });
