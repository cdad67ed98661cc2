import type { DType, Entries, PoolPart } from '@jit-attention/core';
import fc from 'fast-check';

import type { Table } from './support/agree.js';
import { dtypes, seeds, upTo, whole, widths } from './support/arbitraries.js';
import { normals, sizeOf, uniform } from './support/numbers.js';
import { operation } from './support/operation.js';

interface Paged {
  readonly batch: number;
  readonly heads: number;
  readonly width: number;
  readonly pageSize: number;
  readonly lengths: readonly number[];
}

/** Entries whose pages lie in random order, with numbers of a seed; logits may be -Infinity. */
function paged(table: Table, sizes: Paged, dtype: DType, seed: number, logits = false): Entries {
  const { batch, heads, width, pageSize, lengths } = sizes;
  const counts = lengths.map((length) => Math.ceil(length / pageSize));
  const pages = counts.reduce((sum, count) => sum + count, 1);
  const next = uniform(seed);
  const order = Array.from({ length: pages }, (_, page) => ({ page, key: next() }))
    .sort((a, b) => a.key - b.key)
    .map(({ page }) => page);
  const shape = [pages, heads, pageSize, width];
  const data = normals(sizeOf(shape), seed).map((x) =>
    logits && next() < 0.3 ? -Infinity : 4 * x,
  );
  return {
    storage: table.floats(data, shape, dtype),
    pageSize,
    tables: Array.from({ length: batch }, (_, row) => order.splice(0, counts[row])),
    lengths,
  };
}

const sizes = fc
  .record({
    heads: upTo(3),
    width: widths,
    pageSize: upTo(9),
    lengths: fc.array(whole(0, 40), { minLength: 1, maxLength: 3 }),
  })
  .map((one): Paged => ({ ...one, batch: one.lengths.length }));

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
  (table, { sizes, kind, stride, count, first, parts, cut, stored, seed }) => {
    const { batch, width } = sizes;
    const taken = Math.max(1, width - 9);
    const list = parts.map(({ start, length, from }, i): PoolPart => {
      const at = Math.min(from, width - taken);
      return {
        values: paged(table, sizes, stored, seed + i),
        // f32: i8 cannot hold -Infinity beside other numbers
        logits: kind === 'softmax' ? paged(table, sizes, 'f32', seed + 9 + i, true) : undefined,
        start,
        length,
        channels: cut ? [at, at + taken] : undefined,
      };
    });
    const firsts = Array.from({ length: batch }, (_, row) => first * row);
    return { output: table.backend.pool({ kind, parts: list, stride, first: firsts, count }) };
  },
);
