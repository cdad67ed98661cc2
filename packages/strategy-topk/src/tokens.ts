import { type AttentionStrategy, type Score, type Step, topk } from '@jit-attention/core';

import { assertBudget, type Resolved } from './options.js';
import { always } from './always.js';

/** The exact best entries: every key is scored. */
export function tokens(options: Resolved): AttentionStrategy {
  assertBudget(options, 1);
  const { budget, queryBlock } = options;
  return {
    name: 'topk',
    apiVersion: 1,
    supports: { exact: true, sync: true, bidirectional: true },
    plan(step) {
      const selection = step.ops.select({
        score: score(step, options),
        always: always(options, step.visible),
        queryBlock,
        pick: topk(budget),
      });
      return { branches: [{ keys: 'cache', selection }] };
    },
  };
}

/** Probabilities are summed over those who share a selection, of logits the largest counts: core's defaults. */
function score({ query, keys, layer }: Step, { rankBy }: Resolved): Score {
  const { scale, softcap } = layer;
  return rankBy === 'logit'
    ? { kind: 'dot', query, keys, scale }
    : { kind: 'softmax', query, keys, scale, softcap };
}
