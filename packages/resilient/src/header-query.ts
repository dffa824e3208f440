import type { CheckpointHeader, HeaderQuery } from "@ckpt/core";

function matches(header: CheckpointHeader, query: HeaderQuery): boolean {
  return (
    (query.name === undefined || header.name === query.name) &&
    (query.afterSequence === undefined || header.sequence > query.afterSequence) &&
    (query.beforeSequence === undefined || header.sequence < query.beforeSequence)
  );
}

/** Answers a query over headers that were gathered from several places: filtered, ordered by sequence, cut to the limit. */
export function applyQuery(headers: Iterable<CheckpointHeader>, query: HeaderQuery = {}): CheckpointHeader[] {
  const found: CheckpointHeader[] = [];
  for (const header of headers) if (matches(header, query)) found.push(header);
  found.sort((a, b) => (query.reverse === true ? b.sequence - a.sequence : a.sequence - b.sequence));
  return query.limit === undefined ? found : found.slice(0, query.limit);
}

/** The same query with room for `extra` headers that the caller may have to leave out of the answer. */
export function widened(query: HeaderQuery, extra: number): HeaderQuery {
  return query.limit === undefined ? query : { ...query, limit: query.limit + extra };
}
