import { snapshot } from "@ckpt/core";
import { expect, it } from "vitest";
import { AgentHistory } from "../src/agent-history.js";
import { AgentWriter } from "../src/agent-writer.js";
import type { PutEntry } from "../src/entry.js";
import { noPlace } from "../src/no-place.js";
import { put } from "./support/store.js";

it("lets go of the states that are stored, though there is always another commit on its way", () => {
  const history = new AgentHistory("a");
  const writer = new AgentWriter("a", 1, history);
  const begin = (sequence: number) => {
    writer.willPut(`a:${sequence}`, {
      sequence,
      snapshot: snapshot({ sequence }),
      header: undefined,
      commit: undefined,
    });
    writer.begin();
  };
  const store = (sequence: number) => {
    const header = { ...put("a", sequence, {}).header, stateHash: "", stateBytes: 0, epoch: 1 };
    const entry: PutEntry = {
      ...{ kind: "put", agentId: "a", epoch: 1, n: sequence, header, base: null, ...noPlace() },
      ...{ sectionOffset: 0, sectionBytes: 0 },
    };
    history.apply(entry);
    writer.done();
  };
  begin(1);
  for (let sequence = 2; sequence <= 10; sequence++) {
    begin(sequence);
    store(sequence - 1);
    expect(writer.find(`a:${sequence - 1}`)).toHaveProperty("stored");
    expect(writer.find(`a:${sequence}`)).toHaveProperty("pending");
  }
});
