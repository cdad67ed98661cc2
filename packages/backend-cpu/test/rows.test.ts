import type { DType } from '@jit-attention/core';
import fc from 'fast-check';

import { dtypes, manyRows, seeds, shapes, upTo, whole } from './support/arbitraries.js';
import { normals, sizeOf } from './support/numbers.js';
import { operation } from './support/operation.js';

/** The work of a product, small enough for the reference. */
const affordable = ({ shape, outWidth }: { shape: number[]; outWidth: number }): boolean =>
  sizeOf(shape) * outWidth <= 2e6;

operation(
  'linear',
  fc
    .record({
      shape: manyRows,
      outWidth: fc.oneof(upTo(9), upTo(200)),
      bias: fc.constantFrom('none', 'one', 'by head'),
      activation: fc.constantFrom(undefined, 'relu', 'silu', 'sigmoid'),
      stored: fc.tuple(dtypes, dtypes, dtypes),
      seed: seeds,
    })
    .filter(affordable),
  (table, { shape, outWidth, bias, activation, stored, seed }) => {
    const byHead = bias === 'by head' && shape.length === 4;
    const vector = byHead ? [shape[1], outWidth] : [outWidth];
    return {
      output: table.backend.linear(table.normal(shape, seed, stored[0]), {
        weight: table.normal([outWidth, shape.at(-1)], seed + 1, stored[1]),
        bias: bias === 'none' ? undefined : table.normal(vector, seed + 2, stored[2]),
        activation,
      }),
    };
  },
);

operation(
  'norm',
  fc.record({
    shape: manyRows,
    kind: fc.constantFrom('rms', 'layer'),
    eps: fc.constantFrom(1e-6, 1e-5, 1e-20),
    weight: fc.boolean(),
    bias: fc.boolean(),
    mean: fc.constantFrom(0, 0, 100),
    stored: dtypes,
    seed: seeds,
  }),
  (table, { shape, kind, eps, weight, bias, mean, stored, seed }) => {
    const vector = (wanted: boolean, offset: number) =>
      wanted ? table.normal([shape.at(-1)], seed + offset) : undefined;
    const x = table.floats(
      normals(sizeOf(shape), seed).map((x) => x + mean),
      shape,
      stored,
    );
    return {
      output: table.backend.norm(x, {
        kind,
        eps,
        weight: vector(weight, 1),
        bias: vector(bias, 2),
      }),
    };
  },
);

const channels = fc.record({ before: whole(0, 5), pairs: upTo(40), after: whole(0, 5) });

operation(
  'rotary',
  fc.record({
    batch: upTo(3),
    heads: upTo(3),
    tokens: fc.oneof(upTo(9), upTo(200)),
    channels,
    interleaved: fc.boolean(),
    all: fc.boolean(),
    step: fc.constantFrom(undefined, 1, 4, 128),
    first: whole(0, 100_000),
    stored: dtypes,
    seed: seeds,
  }),
  (table, { batch, heads, tokens, channels, interleaved, all, step, first, stored, seed }) => {
    const { before, pairs, after } = all ? { ...channels, before: 0, after: 0 } : channels;
    const width = before + 2 * pairs + after;
    return {
      output: table.backend.rotary(table.normal([batch, heads, tokens, width], seed, stored), {
        frequencies: Array.from({ length: pairs }, (_, i) => 1e4 ** (-i / pairs)),
        first: Array.from({ length: batch }, (_, row) => first * row),
        step,
        channels: all ? undefined : [before, width - after],
        interleaved,
      }),
    };
  },
);

operation(
  'hadamard',
  fc.record({
    shape: shapes,
    power: whole(0, 9),
    stored: dtypes,
    seed: seeds,
  }),
  (table, { shape, power, stored, seed }) => ({
    output: table.backend.hadamard(table.normal([...shape.slice(0, -1), 2 ** power], seed, stored)),
  }),
);

operation(
  'quantise',
  fc.record({
    shape: manyRows,
    bits: fc.constantFrom(4, 8),
    range: fc.constantFrom('absmax', 'minmax'),
    flat: fc.boolean(),
    // Not i8: its decoded numbers lie on a grid of their own, where the last bit of a scale decides ties.
    stored: fc.constantFrom<DType>('f32', 'f16'),
    seed: seeds,
  }),
  (table, { shape, bits, range, flat, stored, seed }) => {
    const x = flat
      ? table.floats(new Float32Array(sizeOf(shape)).fill(seed % 3), shape, stored)
      : table.normal(shape, seed, stored);
    return { output: table.backend.quantise(x, { bits, range }) };
  },
);
