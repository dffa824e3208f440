import { MemoryStore } from "@ckpt/core";

/** Says that everything is durable, and writes nothing to the file system that it was given. */
class ForgetfulStore extends MemoryStore {
  async commit(entries, options) {
    return { ...(await super.commit(entries, options)), durability: "durable" };
  }
}

export default async () => new ForgetfulStore();
