import { entriesOf, fromQuery, type SelectRequest, topk } from '@jit-attention/core';
import { describe, it } from 'vitest';

import { agree, type Table } from './support/agree.js';
import { CONFIGURATIONS, named, onCpu } from './support/backends.js';
import { sizeOf, wholes } from './support/numbers.js';

/** Small whole numbers, whose sums are exact. */
function numbers(table: Table, shape: readonly number[], seed: number) {
  return table.floats(Float32Array.from(wholes(sizeOf(shape), seed, -3, 3)), shape);
}

interface Sizes {
  readonly heads: number;
  readonly tokens: number;
  readonly entries: number;
}

/** Causal, the queries the newest of the entries. */
function requestOf(
  table: Table,
  { heads, tokens, entries }: Sizes,
  options: Partial<SelectRequest>,
): SelectRequest {
  const query = numbers(table, [1, heads, tokens, 4], 1);
  const keys = entriesOf(numbers(table, [1, 1, entries, 4], 2));
  return {
    score: { kind: 'dot', query, keys, scale: 1 },
    over: keys,
    positions: { first: [entries - tokens], counts: [tokens], tokens },
    visible: fromQuery(1),
    pick: topk(50),
    ...options,
  };
}

// Sizes that are worked through in several goes, each written for one of the ways to cut.
const CASES: readonly (readonly [string, Sizes, Partial<SelectRequest>])[] = [
  ['more lists than are scored at a time', { heads: 1, tokens: 800, entries: 3000 }, {}],
  [
    'lists of more rows than are scored at a time, each picking for itself',
    { heads: 2, tokens: 500, entries: 3000 },
    { queryBlock: 500, reduce: 'union', pick: topk(2) },
  ],
  ['one query, its entries cut among the threads', { heads: 3, tokens: 1, entries: 40_000 }, {}],
  ['more queries than a block has', { heads: 2, tokens: 3, entries: 100 }, { queryBlock: 64 }],
  [
    'units of many entries',
    { heads: 2, tokens: 4, entries: 3000 },
    { block: 700, pool: { stride: 700, weights: 'max' }, pick: topk(2) },
  ],
];

describe.each(CONFIGURATIONS.map((options) => [named(options), options] as const))(
  'select, %s',
  (_, options) => {
    it.each(CASES)('%s', (_, sizes, spec) =>
      onCpu(options, (backend) =>
        agree(
          backend,
          (table) => {
            const { ids, counts } = table.backend.select(requestOf(table, sizes, spec));
            return { ids, counts };
          },
          0,
        ),
      ),
    );
  },
);
