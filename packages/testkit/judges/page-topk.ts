import {
  type AttentionStrategy,
  defineStrategy,
  fromQuery,
  type Groups,
  groups,
  type IndexSite,
  topk,
} from '@jit-attention/core';

/**
 * Quest (arXiv 2406.10774): the pages whose bounds promise the largest logit, the sinks' pages and the current one
 * always among them. A group of query heads shares its pages; the best of its heads counts.
 */
export function pageTopk({ budget, sinks = 0 }: PageTopkOptions): AttentionStrategy {
  return defineStrategy({
    name: 'page-topk',
    apiVersion: 1,
    supports: { exact: true, sync: true, bidirectional: false },
    options: { budget, sinks },
    index: (site) => ({ min: boundOf(site, 'min'), max: boundOf(site, 'max') }),
    plan({ query, keys, index, layer, ops }) {
      const selection = ops.select({
        score: { kind: 'bounds', query, min: index.min.rows, max: index.max.rows },
        over: keys,
        block: layer.pageSize,
        always: [
          [0, sinks],
          [fromQuery(0), fromQuery(1)],
        ],
        pick: topk(Math.ceil(budget / layer.pageSize)),
      });
      return { branches: [{ keys: 'cache', selection }] };
    },
  });
}

/** Smallest or largest of each channel over a page, a partial one included. */
function boundOf(site: IndexSite, kind: 'min' | 'max'): Groups {
  const stride = site.layer.pageSize;
  return groups(site, {
    inputs: ['keys'],
    stride,
    partial: true,
    make: ({ ops, inputs, first, count }) =>
      ops.pool({
        kind,
        parts: [{ values: inputs.keys, start: 0, length: stride }],
        stride,
        first,
        count,
      }),
  });
}

export interface PageTopkOptions {
  /** Entries, rounded up to whole pages; room at least for the sinks' pages and the current one. */
  budget: number;
  /** Default 0. */
  sinks?: number;
}
