import { headsOf, type Score, scoredEntries, type SelectRequest } from '@jit-attention/core';

/**
 * The sizes of a selection. A *list* is what the queries of a block and the heads that share select together; a *row*
 * is what is scored at a time: a query, or a cell of queries, of one head.
 */
export interface Lists {
  readonly batch: number;
  readonly heads: number;
  readonly queryBlocks: number;
  readonly queryBlock: number;
  /** Of each list. */
  readonly capacity: number;
  /** Query heads of a list; the indexer's count as one. */
  readonly group: number;
  /** Queries of a row. */
  readonly cell: number;
  /** Rows of a list. */
  readonly rows: number;
  /** Heads in a row that read the same keys and select inside the same candidates. */
  readonly headRun: number;
  /** Units of the longest batch row. */
  readonly units: number;
  readonly reduce: 'max' | 'sum' | 'union';
}

export function listsOf(request: SelectRequest): Lists {
  const { score, positions, over, block = 1, queryBlock = 1 } = request;
  const indexer = score.kind === 'reluWeighted';
  const heads = request.shared === 'all' || indexer ? 1 : headsOf(scoredEntries(score));
  const group = indexer ? 1 : score.query.shape[1] / heads;
  const cell = score.kind === 'antidiagonal' ? score.stride : 1;
  const reduce = request.reduce ?? (isProbability(score) ? 'sum' : 'max');
  const sharers = reduce === 'union' ? Math.ceil(queryBlock / cell) * group : 1;
  const units = Math.max(1, ...over.lengths.map((length) => Math.ceil(length / block)));
  // A block of more queries than there are is the whole of them.
  const queries = Math.min(queryBlock, positions.tokens);
  return {
    batch: positions.first.length,
    heads,
    queryBlocks: Math.ceil(positions.tokens / queryBlock),
    queryBlock: queries,
    capacity: Math.min(units, roomOf(request) * sharers),
    group,
    cell,
    rows: Math.ceil(queries / cell) * group,
    headRun: indexer ? 1 : headRunOf(request),
    units,
    reduce,
  };
}

/** Units that a row or list may pick. */
export function roomOf({ pick }: SelectRequest): number {
  return pick.kind === 'topk' ? pick.k : pick.capacity;
}

export function isProbability({ kind }: Score): boolean {
  return kind === 'softmax' || kind === 'antidiagonal';
}

function headRunOf({ score, within, over }: SelectRequest): number {
  const heads = score.query.shape[1];
  const scored = heads / headsOf(scoredEntries(score));
  if (!within || within.ids.shape[1] === 1) return scored;
  const candidates = heads / headsOf(over);
  const [few, many] = [Math.min(scored, candidates), Math.max(scored, candidates)];
  return many % few === 0 ? few : 1;
}
