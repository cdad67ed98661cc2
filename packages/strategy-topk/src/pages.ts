import {
  type AttentionStrategy,
  defineStrategy,
  type Groups,
  groups,
  type IndexSite,
  topk,
} from '@jit-attention/core';

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
    index: (site) => ({ min: bound(site, 'min'), max: bound(site, 'max') }),
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

/** One row a page, made anew while the page is filling up. */
function bound(site: IndexSite, kind: 'min' | 'max'): Groups {
  const { pageSize: stride } = site.layer;
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
