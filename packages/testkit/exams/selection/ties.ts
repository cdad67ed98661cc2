import { entriesOf, type Score, type Tensor, topk } from '@jit-attention/core';
import fc from 'fast-check';

import type { Bench, FloatType, Results } from '../../src/backend/bench.js';
import { normals, uniform } from '../../src/random.js';
import { normal, type Operation, operation, seeds, upTo, whole } from '../operations/support.js';

/** A few distinct keys, over and over. */
interface Repeated {
  readonly kind: Score['kind'];
  readonly distinct: number;
  readonly seed: number;
  readonly entries: number;
  readonly width: number;
  readonly heads: number;
  readonly tokens: number;
  readonly queryBlock: number;
  readonly k: number;
  readonly dtype: FloatType;
  /** Queries rounded to codes, which meet i8 keys as whole numbers. */
  readonly coded: boolean;
}

// Equal keys score the same to the last bit wherever they stand: in the middle of a strip, at the end of a page, in
// a slice of their own. Of them, the first are picked.
export const TIES: Operation = operation(
  'of equal keys',
  fc.record({
    kind: fc.constantFrom('dot', 'softmax', 'bounds', 'reluWeighted', 'antidiagonal'),
    distinct: upTo(4),
    seed: seeds,
    entries: fc.oneof(whole(1, 60), whole(1, 1500)),
    width: fc.constantFrom(8, 10, 64),
    heads: upTo(4),
    tokens: upTo(5),
    queryBlock: upTo(5),
    k: upTo(300),
    dtype: fc.constantFrom('f32', 'f16', 'i8'),
    coded: fc.boolean(),
  }),
  picked,
);

function picked(bench: Bench, one: Repeated): Results {
  const { tokens, entries, queryBlock, k } = one;
  const score = scoreOf(bench, one);
  const cells = score.kind === 'antidiagonal' ? { block: STRIDE } : {};
  const { ids, counts } = bench.backend.select({
    score,
    over: entriesOf(bench.keep(bench.backend.zeros({ shape: [1, 1, entries, 1] }))),
    positions: { first: [0], counts: [tokens], tokens },
    queryBlock: score.kind === 'antidiagonal' ? STRIDE * queryBlock : queryBlock,
    ...cells,
    pick: topk(k),
  });
  return { ids, counts };
}

/** Queries and keys of a cell. */
const STRIDE = 2;

function scoreOf(
  bench: Bench,
  { kind, heads, tokens, width, seed, coded, ...rest }: Repeated,
): Score {
  const floats = normal(bench, [1, heads, tokens, width], seed);
  const query = coded ? rounded(bench, floats) : floats;
  const keys = (name: number) =>
    entriesOf(repeated(bench, { ...rest, kind, width, seed: seed + name }));
  switch (kind) {
    case 'bounds':
      return { kind, query, min: keys(1), max: keys(2) };
    case 'reluWeighted': {
      const weights = normal(bench, [1, heads, tokens, 1], seed + 3);
      return { kind, query, keys: keys(1), weights, scale: width ** -0.5 };
    }
    case 'antidiagonal':
      return { kind, query, keys: keys(1), scale: width ** -0.5, stride: STRIDE };
    default:
      return { kind, query, keys: keys(1), scale: width ** -0.5 };
  }
}

function rounded(bench: Bench, query: Tensor): Tensor {
  return bench.keep(bench.backend.quantise(query, { bits: 8, range: 'absmax' }));
}

function repeated(
  bench: Bench,
  one: Pick<Repeated, 'kind' | 'distinct' | 'entries' | 'width' | 'seed' | 'dtype'>,
) {
  const { entries, width, distinct, seed, dtype } = one;
  const base = normals(distinct * width, uniform(seed, 'distinct'));
  const data = Float32Array.from(
    { length: entries * width },
    (_, i) => base[((Math.floor(i / width) * 7) % distinct) * width + (i % width)],
  );
  return bench.tensor({ shape: [1, 1, entries, width], data }, dtype);
}
