import type { Entries, PoolPart } from '@jit-attention/core';
import fc from 'fast-check';

import { sizeOf } from '../../src/array.js';
import { codeRows } from '../../src/backend/arrays.js';
import type { Bench, FloatType } from '../../src/backend/bench.js';
import { normals, shuffled, uniform } from '../../src/random.js';
import { dtypes, type Operation, operation, seeds, upTo, whole, widths } from './support.js';

interface Paged {
  readonly heads: number;
  readonly width: number;
  readonly pageSize: number;
  readonly lengths: readonly number[];
}

/** Entries whose pages lie in random order, with numbers of a seed; logits may be -Infinity. */
function paged(
  bench: Bench,
  sizes: Paged,
  dtype: FloatType,
  seed: number,
  logits = false,
): Entries {
  const { heads, width, pageSize, lengths } = sizes;
  const counts = lengths.map((length) => Math.ceil(length / pageSize));
  const pages = counts.reduce((sum, count) => sum + count, 1);
  const next = uniform(seed, 'paged');
  const order = shuffled(pages, next);
  const shape = [pages, heads, pageSize, width];
  const data = normals(sizeOf(shape), next).map((x) =>
    logits && next() < 0.3 ? -Infinity : 4 * x,
  );
  const rows = dtype === 'i8' ? codeRows(seed, 'paged', shape) : { shape, data };
  return {
    storage: bench.tensor(rows, dtype),
    pageSize,
    tables: counts.map((count) => order.splice(0, count)),
    lengths,
  };
}

const sizes: fc.Arbitrary<Paged> = fc.record({
  heads: upTo(3),
  width: widths,
  pageSize: upTo(9),
  lengths: fc.array(whole(0, 40), { minLength: 1, maxLength: 3 }),
});

export const POOL: readonly Operation[] = [
  operation(
    'pool',
    fc.record({
      sizes,
      kind: fc.constantFrom('mean', 'min', 'max', 'softmax', 'concat'),
      stride: upTo(8),
      count: fc.oneof(upTo(4), upTo(40)),
      first: whole(0, 4),
      parts: fc.array(fc.record({ start: whole(-4, 4), length: upTo(9), from: whole(0, 9) }), {
        minLength: 1,
        maxLength: 3,
      }),
      cut: fc.boolean(),
      stored: dtypes,
      seed: seeds,
    }),
    (bench, { sizes, kind, stride, count, first, parts, cut, stored, seed }) => {
      const { lengths, width } = sizes;
      const taken = Math.max(1, width - 9);
      const list = parts.map(({ start, length, from }, i): PoolPart => {
        const at = Math.min(from, width - taken);
        return {
          values: paged(bench, sizes, stored, seed + i),
          // f32: i8 cannot hold -Infinity beside other numbers
          logits: kind === 'softmax' ? paged(bench, sizes, 'f32', seed + 9 + i, true) : undefined,
          start,
          length,
          channels: cut ? [at, at + taken] : undefined,
        };
      });
      const firsts = lengths.map((_, row) => first * row);
      return { output: bench.backend.pool({ kind, parts: list, stride, first: firsts, count }) };
    },
  ),
];
