import { type Entries, entriesOf, type Score, type Tensor, topk } from '@jit-attention/core';
import fc from 'fast-check';

import { sizeOf } from '../../src/array.js';
import type { Bench, Results } from '../../src/backend/bench.js';
import { uniform } from '../../src/random.js';
import { type Operation, operation, seeds, upTo, whole } from '../operations/support.js';

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
export const EXTREMES: Operation = operation(
  'of infinite and undefined scores',
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
);

function picked(bench: Bench, one: Extreme): Results {
  const { ids, counts } = bench.backend.select({
    score: scoreOf(bench, one),
    over: entriesOf(bench.keep(bench.backend.zeros({ shape: [1, 1, one.entries, 1] }))),
    positions: { first: [0], counts: [1], tokens: 1 },
    reduce: one.reduce,
    pick: topk(one.k),
  });
  return { ids, counts };
}

function scoreOf(bench: Bench, one: Extreme): Score {
  const { kind, heads, entries } = one;
  const query = extremes(bench, one, [1, heads, 1, 8], 'query');
  const keys = (name: string): Entries => entriesOf(extremes(bench, one, [1, 1, entries, 8], name));
  switch (kind) {
    case 'dot':
      return { kind, query, keys: keys('keys'), scale: 1 };
    case 'bounds':
      return { kind, query, min: keys('keys'), max: keys('maxima') };
    case 'reluWeighted':
      return {
        kind,
        query,
        keys: keys('keys'),
        weights: extremes(bench, one, [1, heads, 1, 1], 'weights'),
        scale: 1,
      };
  }
}

const NUMBERLESS = [Infinity, -Infinity, NaN];

/** Small whole numbers, and a share of what is none. */
function extremes(
  bench: Bench,
  { seed, share }: Extreme,
  shape: readonly number[],
  name: string,
): Tensor {
  const next = uniform(seed, name);
  const data = Float32Array.from({ length: sizeOf(shape) }, () =>
    next() < share ? NUMBERLESS[Math.floor(3 * next())] : Math.floor(5 * next()) - 2,
  );
  return bench.tensor({ shape, data });
}
