import { headsOf, type Score, scoredEntries, type SelectRequest } from '@jit-attention/core';

/**
 * The sizes of a selection. A *list* is what the queries of a block and the heads that share select together; a *row*
 * is what is scored at a time: a query, or a cell of queries, of one head.
 */
export interface Lists {
  readonly batch: number;
  /** Lists of a batch row and query block: one a kv head, or one for all. */
  readonly heads: number;
  readonly queryBlocks: number;
  /** Queries of a block. */
  readonly queryBlock: number;
  /** Ids that a list has room for. */
  readonly capacity: number;
  /** Queries of a row, and rows of queries of a block. */
  readonly cell: number;
  readonly cells: number;
  /** Kv heads that a list reads. */
  readonly kvHeads: number;
  /** Query heads of each, side by side; the heads of an indexer count as one. */
  readonly headRun: number;
  /** Units of the longest batch row. */
  readonly units: number;
  readonly reduce: 'max' | 'sum' | 'union';
}

export function listsOf(request: SelectRequest): Lists {
  const { score, positions, over, block = 1, queryBlock = 1 } = request;
  const indexer = score.kind === 'reluWeighted';
  const scored = headsOf(scoredEntries(score));
  const heads = request.shared === 'all' || indexer ? 1 : scored;
  const headRun = indexer ? 1 : score.query.shape[1] / scored;
  const kvHeads = scored / heads;
  const cell = score.kind === 'antidiagonal' ? score.stride : 1;
  const reduce = request.reduce ?? (isProbability(score) ? 'sum' : 'max');
  const sharers = reduce === 'union' ? Math.ceil(queryBlock / cell) * kvHeads * headRun : 1;
  const units = Math.max(1, ...over.lengths.map((length) => Math.ceil(length / block)));
  // A block of more queries than there are is the whole of them.
  const queries = Math.min(queryBlock, positions.tokens);
  return {
    batch: positions.first.length,
    heads,
    queryBlocks: Math.ceil(positions.tokens / queryBlock),
    queryBlock: queries,
    capacity: Math.min(units, roomOf(request) * sharers),
    cell,
    cells: Math.ceil(queries / cell),
    kvHeads,
    headRun,
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
