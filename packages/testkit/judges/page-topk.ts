import {
  type AttentionStrategy,
  defineStrategy,
  fromQuery,
  pageBounds,
  topk,
} from '@jit-attention/core';

/**
 * Quest (arXiv 2406.10774): the pages whose bounds promise the largest logit, the sinks' pages and the query's own
 * always among them. A group of query heads shares its pages; the best of its heads counts.
 */
export function pageTopk({ budget, sinks = 0 }: PageTopkOptions): AttentionStrategy {
  return defineStrategy({
    name: 'page-topk',
    apiVersion: 1,
    supports: { exact: true, sync: true, bidirectional: true },
    options: { budget, sinks },
    index: pageBounds,
    plan({ query, keys, index, layer: { pageSize }, ops }) {
      const selection = ops.select({
        score: { kind: 'bounds', query, min: index.min.rows, max: index.max.rows },
        over: keys,
        block: pageSize,
        always: [
          [0, sinks],
          [fromQuery(0), fromQuery(1)],
        ],
        pick: topk(Math.ceil(budget / pageSize)),
      });
      return { branches: [{ keys: 'cache', selection }] };
    },
  });
}

export interface PageTopkOptions {
  /** Entries, rounded up to whole pages; room at least for the sinks' pages and the query's own. */
  budget: number;
  /** Default 0. */
  sinks?: number;
}
