import { type AttentionStrategy, defineStrategy, pageBounds, topk } from '@jit-attention/core';

import { always } from './always.js';
import { assertBudget, type Resolved } from './options.js';

/**
 * The pages that may hold the best entries: a page scores `Σ_d max(q_d · min_d, q_d · max_d)`, with the smallest
 * and largest value of each channel among its keys so far, and of a group's heads the largest counts.
 */
export function pages(options: Resolved): AttentionStrategy {
  // The newest page changes with every entry, and a decoder must see its own: it is always in.
  const causal = { ...options, recent: Math.max(1, options.recent) };
  const { budget, queryBlock } = options;
  return defineStrategy({
    name: 'topk',
    apiVersion: 1,
    supports: { exact: true, sync: true, bidirectional: true },
    validate: ({ pageSize }) => assertBudget(causal, pageSize),
    index: pageBounds,
    plan({ query, keys, visible, index, layer, ops }) {
      const { pageSize } = layer;
      const selection = ops.select({
        score: { kind: 'bounds', query, min: index.min.rows, max: index.max.rows },
        over: keys,
        block: pageSize,
        always: always(visible === undefined ? options : causal, visible),
        queryBlock,
        pick: topk(Math.ceil(budget / pageSize)),
      });
      return { branches: [{ keys: 'cache', selection }] };
    },
  });
}
