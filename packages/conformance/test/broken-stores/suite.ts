import { describeStore } from "@ckpt/conformance";
import { DEFECTS } from "./defects.js";

for (const [name, open] of Object.entries(DEFECTS)) describeStore(name, { open });
