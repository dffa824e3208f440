/** Runs one task in a fresh process and sends its result to the parent. */
import { tasks } from "./tasks/index.js";

const [, , name = "", argument = "null"] = process.argv;
const task = tasks[name];
if (!task) throw new Error(`no task ${name}`);
const result = await task(JSON.parse(argument) as never);
await new Promise<void>((resolve, reject) =>
  process.send?.(result, (error: Error | null) => (error ? reject(error) : resolve())),
);
process.disconnect?.();
