import { tool } from "ai";
import { z } from "zod";
import type { Sandbox } from "./sandbox.js";

const MAX_HITS = 12;
const MAX_EXCERPT = 160;

export const search = (folder: Sandbox) =>
  tool({
    description: "Finds the lines that contain a text, exactly as given, in the files under a path.",
    inputSchema: z.object({ text: z.string().min(1).max(200), path: z.string().default(".") }),
    execute: async ({ text, path }) => {
      const hits: { path: string; line: number; excerpt: string }[] = [];
      let matches = 0;
      let unreadable = 0;
      for (const file of await folder.list(path)) {
        const content = await folder.read(file.path).catch(() => undefined);
        if (content === undefined) unreadable += 1;
        if (content === undefined || !content.includes(text)) continue;
        for (const [index, line] of content.split("\n").entries()) {
          if (!line.includes(text)) continue;
          matches += 1;
          if (hits.length < MAX_HITS) {
            hits.push({ path: file.path, line: index + 1, excerpt: line.trim().slice(0, MAX_EXCERPT) });
          }
        }
      }
      return { text, matches, hits, unreadable };
    },
  });
