import type { AgentState } from "../agent/state.js";
import type { Workshop } from "../agent/workshop.js";
import { applyEdits, type Guard } from "./apply-edits.js";
import { copyFiles } from "./copy-files.js";
import { count } from "./count.js";
import { finishTask } from "./finish-task.js";
import { listFiles } from "./list-files.js";
import { readFile } from "./read-file.js";
import type { Sandbox } from "./sandbox.js";
import { search } from "./search.js";
import { writeNote } from "./write-note.js";

/** What the tools work on. */
export interface Surroundings {
  readonly folder: Sandbox;
  /** Where notes are written. */
  readonly notesDirectory: string;
  readonly workshop: Workshop;
  /** The live state; asked anew each time, because a restore replaces it. */
  readonly state: () => AgentState;
  readonly guard: Guard;
}

/** The agent's tools by the names that the model calls. */
export const toolbox = ({ folder, notesDirectory, workshop, state, guard }: Surroundings) => ({
  list_files: listFiles(folder),
  read_file: readFile(folder),
  search: search(folder),
  count: count(folder),
  write_note: writeNote(notesDirectory),
  copy_files: copyFiles(folder, workshop, state),
  apply_edits: applyEdits(workshop, state, guard),
  finish_task: finishTask(state),
});
export type Toolbox = ReturnType<typeof toolbox>;
