import { describeStore } from "@ckpt/conformance";
import { MemoryStore } from "@ckpt/core";

describeStore("MemoryStore", { open: () => new MemoryStore() });
