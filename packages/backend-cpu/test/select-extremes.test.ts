import { entriesOf, type Score, topk } from '@jit-attention/core';
import fc from 'fast-check';

import type { Results, Table } from './support/agree.js';
import { seeds, upTo, whole } from './support/arbitraries.js';
import { extremes } from './support/extremes.js';
import { operation } from './support/operation.js';

interface Extreme {
  readonly kind: 'dot' | 'bounds' | 'reluWeighted';
  readonly seed: number;
  readonly share: number;
  readonly entries: number;
  readonly heads: number;
  readonly reduce: 'max' | 'sum';
  readonly k: number;
}

// Few heads meet bounds as they stand, many as a matrix product.
operation(
  'select, of infinite and undefined scores',
  fc.record({
    kind: fc.constantFrom('dot', 'bounds', 'reluWeighted'),
    seed: seeds,
    share: fc.constantFrom(0.001, 0.02, 0.3),
    entries: upTo(400),
    heads: fc.oneof(upTo(3), whole(8, 12)),
    reduce: fc.constantFrom('max', 'sum'),
    k: upTo(60),
  }),
  picked,
  0,
);

function picked(table: Table, one: Extreme): Results {
  const { ids, counts } = table.backend.select({
    score: scoreOf(table, one),
    over: entriesOf(table.zeros([1, 1, one.entries, 1])),
    positions: { first: [0], counts: [1], tokens: 1 },
    reduce: one.reduce,
    pick: topk(one.k),
  });
  return { ids, counts };
}

function scoreOf(table: Table, one: Extreme): Score {
  const { kind, heads, entries } = one;
  const query = extremes(table, one, [1, heads, 1, 8], 1);
  const keys = (name: number) => entriesOf(extremes(table, one, [1, 1, entries, 8], name));
  switch (kind) {
    case 'dot':
      return { kind, query, keys: keys(2), scale: 1 };
    case 'bounds':
      return { kind, query, min: keys(2), max: keys(3) };
    case 'reluWeighted':
      return {
        kind,
        query,
        keys: keys(2),
        weights: extremes(table, one, [1, heads, 1, 1], 4),
        scale: 1,
      };
  }
}
