import { type CheckpointDraft, type CheckpointStore, MemoryStore, type StoreEntry } from "@ckpt/core";

/** A healthy store with some of its methods replaced. */
function altered(change: (healthy: MemoryStore) => Partial<CheckpointStore>): () => CheckpointStore {
  return () => {
    const healthy = new MemoryStore();
    const replaced: Partial<CheckpointStore> = change(healthy);
    return new Proxy<CheckpointStore>(healthy, {
      get: (target, key: keyof CheckpointStore) => {
        const own = replaced[key] ?? target[key];
        return typeof own === "function" ? own.bind(replaced[key] === undefined ? target : replaced) : own;
      },
    });
  };
}

/** Lets the entries through that `keep` keeps. */
const without = (keep: (entry: StoreEntry) => boolean) =>
  altered((healthy) => ({
    commit: (entries, options) => healthy.commit(entries.filter(keep), options),
  }));

/** One thing that a store's author may get wrong, each. */
export const DEFECTS: Readonly<Record<string, () => CheckpointStore>> = {
  "nothing wrong": () => new MemoryStore(),
  "ignores reverse": altered((healthy) => ({
    list: (agentId, query = {}) => healthy.list(agentId, { ...query, reverse: false }),
  })),
  "ignores limit": altered((healthy) => ({
    list: (agentId, { limit: _, ...query } = {}) => healthy.list(agentId, query),
  })),
  "takes a limit of nothing for no limit": altered((healthy) => ({
    list: (agentId, { limit, ...query } = {}) => healthy.list(agentId, limit ? { ...query, limit } : query),
  })),
  "counts afterSequence in": altered((healthy) => ({
    list: (agentId, query = {}) => {
      const { afterSequence } = query;
      return healthy.list(
        agentId,
        afterSequence === undefined ? query : { ...query, afterSequence: afterSequence - 1 },
      );
    },
  })),
  "commits entries one by one": altered((healthy) => ({
    commit: async (entries, options) => {
      const receipts = [];
      for (const entry of entries) receipts.push(await healthy.commit([entry], options));
      return {
        durability: "volatile",
        bytesWritten: 0,
        headers: receipts.flatMap((receipt) => receipt.headers),
      };
    },
  })),
  "says durable and is not": altered((healthy) => ({
    commit: async (entries, options) => ({
      ...(await healthy.commit(entries, options)),
      durability: "durable" as const,
    }),
  })),
  "swallows conflicts": altered((healthy) => ({
    commit: (entries, options) =>
      healthy
        .commit(entries, options)
        .catch(() => ({ durability: "volatile" as const, bytesWritten: 0, headers: [] })),
  })),
  "moves the head on a retry": altered((healthy) => ({
    commit: async (entries, options) => {
      const receipt = await healthy.commit(entries, options);
      const { agentId, id } = receipt.headers.at(-1) ?? {};
      if (agentId !== undefined && id !== undefined) {
        await healthy.commit([
          { op: "event", agentId, event: { kind: "head", checkpointId: id, reason: "put" } },
        ]);
      }
      return receipt;
    },
  })),
  "takes over what a retry says besides": altered((healthy) => {
    const said = new Map<string, CheckpointDraft>();
    return {
      commit: (entries, options) => {
        for (const entry of entries) if (entry.op === "put") said.set(entry.header.id, entry.header);
        return healthy.commit(entries, options);
      },
      list: async (agentId, query) =>
        (await healthy.list(agentId, query)).map((header) => ({ ...header, ...said.get(header.id) })),
    };
  }),
  "takes an id that was removed for removed for ever": altered((healthy) => {
    const removed = new Set<string>();
    return {
      commit: (entries, options) => {
        for (const entry of entries) if (entry.op === "remove") for (const id of entry.ids) removed.add(id);
        return healthy.commit(entries, options);
      },
      list: async (agentId, query) =>
        (await healthy.list(agentId, query)).filter(({ id }) => !removed.has(id)),
    };
  }),
  "brings back what was undone when it compacts": altered((healthy) => {
    const begun: StoreEntry[] = [];
    return {
      commit: (entries, options) => {
        for (const entry of entries)
          if (entry.op === "event" && entry.event.kind === "guard-begun") begun.push(entry);
        return healthy.commit(entries, options);
      },
      compact: async (options) => {
        await healthy.commit(begun);
        return healthy.compact(options);
      },
    };
  }),
  "loses what it had not copied when a compaction is aborted": altered((healthy) => ({
    compact: async ({ signal } = {}) => {
      if (signal !== undefined && !signal.aborted) {
        await new Promise((resolve) => setImmediate(resolve));
        for (const agentId of signal.aborted ? await healthy.agents() : []) {
          const ids = (await healthy.list(agentId)).map(({ id }) => id).slice(-1);
          await healthy.commit([{ op: "remove", agentId, ids, reason: "compacted" }]);
        }
      }
      return healthy.compact(signal === undefined ? {} : { signal });
    },
  })),
  "takes commits when they are called, and entries when they run": altered((healthy) => ({
    commit: async (entries, options) => {
      await undefined;
      return healthy.commit(entries, options);
    },
  })),
  "reorders commits": altered((healthy) => {
    let calls = 0;
    return {
      commit: async (entries, options) => {
        const given = [...entries];
        if (++calls % 2 === 0) for (let turns = 0; turns < 10; turns++) await undefined;
        return healthy.commit(given, options);
      },
    };
  }),
  "loses pins": without((entry) => entry.op !== "event" || entry.event.kind !== "pinned"),
  "loses guards": without((entry) => entry.op !== "event" || entry.event.kind !== "guard-begun"),
  "never closes guards": without((entry) => entry.op !== "event" || entry.event.kind !== "guard-done"),
  "loses head moves": without((entry) => entry.op !== "event" || entry.event.kind !== "head"),
  "makes a checkpoint the head that is not there": altered((healthy) => {
    let named: string | undefined;
    return {
      commit: (entries, options) => {
        for (const entry of entries)
          if (entry.op === "event" && entry.event.kind === "head") named = entry.event.checkpointId;
          else if (entry.op === "put" || entry.op === "remove") named = undefined;
        return healthy.commit(entries, options);
      },
      agent: async (agentId) => {
        const state = await healthy.agent(agentId);
        return state && { ...state, headId: named ?? state.headId };
      },
    };
  }),
  "keeps the pins of what was removed": altered((healthy) => {
    const pins = new Set<string>();
    return {
      commit: async (entries, options) => {
        const events = entries.flatMap((entry) => (entry.op === "event" ? [entry.event] : []));
        const receipt = await healthy.commit(entries, options);
        for (const event of events) {
          if (event.kind === "pinned") pins.add(event.checkpointId);
          if (event.kind === "unpinned") pins.delete(event.checkpointId);
        }
        return receipt;
      },
      agent: async (agentId) => {
        const state = await healthy.agent(agentId);
        return state && { ...state, pinnedIds: [...pins] };
      },
    };
  }),
  "ignores removals": without((entry) => entry.op !== "remove"),
  "keeps notes in a plain object": altered((healthy) => ({
    agent: async (agentId) => {
      const state = await healthy.agent(agentId);
      if (state === undefined) return undefined;
      const notes: Record<string, never> = {};
      for (const [topic, body] of Object.entries(state.notes)) notes[topic] = body as never;
      return { ...state, notes };
    },
  })),
  "hands out internals that can be changed": altered((healthy) => {
    const known = new Map<string, Awaited<ReturnType<CheckpointStore["list"]>>>();
    return {
      list: async (agentId, query) => {
        const fresh = structuredClone(await healthy.list(agentId, query));
        if (query !== undefined) return fresh;
        const list = known.get(agentId);
        if (list === undefined) known.set(agentId, fresh);
        return list ?? fresh;
      },
    };
  }),
  "gives every lease to everyone": altered(() => ({
    acquire: async (agentId) => ({ agentId, epoch: 1, release: async () => undefined }),
  })),
  "treats twins in other case as one agent": altered((healthy) => ({
    commit: (entries, options) =>
      healthy.commit(
        entries.map((entry): StoreEntry => {
          if (entry.op !== "put") return { ...entry, agentId: entry.agentId.toLowerCase() };
          return { ...entry, header: { ...entry.header, agentId: entry.header.agentId.toLowerCase() } };
        }),
        options,
      ),
  })),
  "reads on when closed": altered((healthy) => ({
    agents: () => healthy.agents().catch(() => []),
  })),
  "hears no signal": altered((healthy) => ({
    load: (agentId, id) => healthy.load(agentId, id),
  })),
  "throws errors without a code": altered((healthy) => ({
    load: (agentId, id, options) =>
      healthy.load(agentId, id, options).catch((error: Error) => {
        throw new Error(error.message);
      }),
  })),
  "forgets the last sequence": altered((healthy) => ({
    agent: async (agentId) => {
      const state = await healthy.agent(agentId);
      return state && { ...state, lastSequence: (await healthy.list(agentId)).at(-1)?.sequence ?? 0 };
    },
  })),
  "finds damage in healthy data": altered(() => ({
    verify: async function* () {
      yield { kind: "damaged", place: "here", message: "?", affectedIds: [], remedy: "none" };
    },
  })),
};
