import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** This application's own directory, seen from `src` and from `dist` alike. */
const BENCH = fileURLToPath(new URL("..", import.meta.url));

/** Where the peers are installed. */
export const PEERS = join(BENCH, "peers");
/** Where results are kept for everyone to see. */
export const KEPT = join(BENCH, "../../docs/benchmarks");
/** What says which version is measured. */
export const OURS = join(BENCH, "../../packages/resilient/package.json");
