import { type DType, entriesOf, type Score, type Tensor, topk } from '@jit-attention/core';
import fc from 'fast-check';

import type { Results, Table } from './support/agree.js';
import { seeds, upTo, whole } from './support/arbitraries.js';
import { normals } from './support/numbers.js';
import { operation } from './support/operation.js';

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
  readonly dtype: DType;
  /** Queries rounded to codes, which meet i8 keys as whole numbers. */
  readonly coded: boolean;
}

// Equal keys score the same to the last bit wherever they stand: in the middle of a strip, at the end of a page, in
// a slice of their own. Of them, the first are picked.
operation(
  'select, of equal keys',
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
  0,
);

function picked(table: Table, one: Repeated): Results {
  const { tokens, entries, queryBlock, k } = one;
  const score = scoreOf(table, one);
  const cells = score.kind === 'antidiagonal' ? { block: STRIDE } : {};
  const { ids, counts } = table.backend.select({
    score,
    over: entriesOf(table.zeros([1, 1, entries, 1])),
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
  table: Table,
  { kind, heads, tokens, width, seed, coded, ...rest }: Repeated,
): Score {
  const floats = table.normal([1, heads, tokens, width], seed);
  const query = coded ? rounded(table, floats) : floats;
  const keys = (name: number) =>
    entriesOf(repeated(table, { ...rest, kind, width, seed: seed + name }));
  switch (kind) {
    case 'bounds':
      return { kind, query, min: keys(1), max: keys(2) };
    case 'reluWeighted': {
      const weights = table.normal([1, heads, tokens, 1], seed + 3);
      return { kind, query, keys: keys(1), weights, scale: width ** -0.5 };
    }
    case 'antidiagonal':
      return { kind, query, keys: keys(1), scale: width ** -0.5, stride: STRIDE };
    default:
      return { kind, query, keys: keys(1), scale: width ** -0.5 };
  }
}

function rounded(table: Table, query: Tensor): Tensor {
  return table.keep(table.backend.quantise(query, { bits: 8, range: 'absmax' }));
}

function repeated(
  table: Table,
  one: Pick<Repeated, 'kind' | 'distinct' | 'entries' | 'width' | 'seed' | 'dtype'>,
) {
  const { entries, width, distinct, seed, dtype } = one;
  const base = normals(distinct * width, seed);
  const data = Float32Array.from(
    { length: entries * width },
    (_, i) => base[((Math.floor(i / width) * 7) % distinct) * width + (i % width)],
  );
  return table.floats(data, [1, 1, entries, width], dtype);
}
