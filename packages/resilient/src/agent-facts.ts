import type { AgentState, StoreEntry, StoreEvent } from "@ckpt/core";

/** An agent that never wrote. */
export function newAgent(agentId: string): AgentState {
  return { agentId, count: 0, lastSequence: 0, headId: null, openGuards: [], pinnedIds: [], notes: {} };
}

function applyEvent(state: AgentState, event: StoreEvent): AgentState {
  switch (event.kind) {
    case "head":
      return { ...state, headId: event.checkpointId };
    case "guard-begun": {
      const others = state.openGuards.filter((g) => g.guardId !== event.guardId);
      const { guardId, operation, checkpointId } = event;
      return { ...state, openGuards: [...others, { guardId, operation, checkpointId }] };
    }
    case "guard-done":
      return { ...state, openGuards: state.openGuards.filter((g) => g.guardId !== event.guardId) };
    case "pinned":
      return state.pinnedIds.includes(event.checkpointId)
        ? state
        : { ...state, pinnedIds: [...state.pinnedIds, event.checkpointId] };
    case "unpinned":
      return { ...state, pinnedIds: state.pinnedIds.filter((id) => id !== event.checkpointId) };
    case "note":
      return { ...state, notes: { ...state.notes, [event.topic]: event.body } };
  }
}

/** What the store port says an agent's facts are after a batch. Pure; entries of other agents are passed over. */
export function applyEntries(state: AgentState, entries: readonly StoreEntry[]): AgentState {
  let next = state;
  for (const entry of entries) {
    if (entry.op === "put") {
      const { header } = entry;
      if (header.agentId !== state.agentId) continue;
      const isNew = header.sequence > next.lastSequence;
      const lastSequence = Math.max(next.lastSequence, header.sequence);
      next = { ...next, headId: header.id, lastSequence, count: next.count + (isNew ? 1 : 0) };
    } else if (entry.agentId !== state.agentId) {
    } else if (entry.op === "remove") {
      const gone = new Set(entry.ids);
      const headId = next.headId !== null && gone.has(next.headId) ? null : next.headId;
      const pinnedIds = next.pinnedIds.filter((id) => !gone.has(id));
      next = { ...next, headId, pinnedIds, count: Math.max(0, next.count - gone.size) };
    } else next = applyEvent(next, entry.event);
  }
  return next;
}
