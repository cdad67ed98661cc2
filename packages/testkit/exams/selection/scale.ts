import { entriesOf, fromQuery, type SelectRequest, type Tensor, topk } from '@jit-attention/core';

import { sizeOf } from '../../src/array.js';
import { agree, type Bench, type Results } from '../../src/backend/bench.js';
import type { BackendSuite } from '../../src/backend/suite.js';
import { onBackend, withoutLeaks } from '../../src/backends.js';
import { uniform, wholes } from '../../src/random.js';
import type { Runner } from '../../src/runner.js';

/** Small whole numbers, whose sums are exact. */
function numbers(bench: Bench, shape: readonly number[], name: string): Tensor {
  return bench.tensor({ shape, data: wholes(sizeOf(shape), uniform(1, name), [-3, 3]) });
}

interface Sizes {
  readonly heads: number;
  readonly tokens: number;
  readonly entries: number;
}

/** Causal, the queries the newest of the entries. */
function requestOf(
  bench: Bench,
  { heads, tokens, entries }: Sizes,
  options: Partial<SelectRequest>,
): SelectRequest {
  const query = numbers(bench, [1, heads, tokens, 4], 'query');
  const keys = entriesOf(numbers(bench, [1, 1, entries, 4], 'keys'));
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

export function testScale({ it }: Runner, { factory }: BackendSuite): void {
  for (const [name, sizes, options] of CASES) {
    const select = (bench: Bench): Results => {
      const { ids, counts } = bench.backend.select(requestOf(bench, sizes, options));
      return { ids, counts };
    };
    it(name, () =>
      onBackend(factory, (backend) => withoutLeaks(backend, () => agree(backend, select, 0))),
    );
  }
}
