import fc from 'fast-check';

import { type HostArray, sizeOf } from '../../src/array.js';
import { normals, uniform } from '../../src/random.js';
import {
  dtypes,
  manyRows,
  normal,
  type Operation,
  operation,
  seeds,
  shapes,
  upTo,
  whole,
} from './support.js';

/** The work of a product, small enough for the reference. */
const affordable = ({ shape, outWidth }: { shape: number[]; outWidth: number }): boolean =>
  sizeOf(shape) * outWidth <= 2e6;

/** Channels that rotate, now and then none, and those around them. */
const channels = fc.record({
  before: whole(0, 5),
  pairs: fc.oneof({ arbitrary: upTo(40), weight: 7 }, fc.constant(0)),
  after: whole(0, 5),
});

export const ROWS: readonly Operation[] = [
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
    (bench, { shape, outWidth, bias, activation, stored, seed }) => {
      const byHead = bias === 'by head' && shape.length === 4;
      const vector = byHead ? [shape[1], outWidth] : [outWidth];
      return {
        output: bench.backend.linear(normal(bench, shape, seed, stored[0]), {
          weight: normal(bench, [outWidth, shape.at(-1)!], seed + 1, stored[1]),
          bias: bias === 'none' ? undefined : normal(bench, vector, seed + 2, stored[2]),
          activation,
        }),
      };
    },
  ),

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
    (bench, { shape, kind, eps, weight, bias, mean, stored, seed }) => {
      const vector = (wanted: boolean, offset: number) =>
        wanted ? normal(bench, [shape.at(-1)!], seed + offset) : undefined;
      const data = normals(sizeOf(shape), uniform(seed, 'x')).map((x) => x + mean);
      const x = mean === 0 ? normal(bench, shape, seed, stored) : bench.tensor({ shape, data });
      return {
        output: bench.backend.norm(x, {
          kind,
          eps,
          weight: vector(weight, 1),
          bias: vector(bias, 2),
        }),
      };
    },
  ),

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
    (bench, { batch, heads, tokens, channels, interleaved, all, step, first, stored, seed }) => {
      const { before, pairs, after } = all ? { ...channels, before: 0, after: 0 } : channels;
      const width = before + 2 * pairs + after;
      return {
        output: bench.backend.rotary(normal(bench, [batch, heads, tokens, width], seed, stored), {
          frequencies: Array.from({ length: pairs }, (_, i) => 1e4 ** (-i / pairs)),
          first: Array.from({ length: batch }, (_, row) => first * row),
          step,
          channels: all ? undefined : [before, width - after],
          interleaved,
        }),
      };
    },
  ),

  operation(
    'hadamard',
    fc.record({
      shape: shapes,
      power: whole(0, 9),
      stored: dtypes,
      seed: seeds,
    }),
    (bench, { shape, power, stored, seed }) => ({
      output: bench.backend.hadamard(
        normal(bench, [...shape.slice(0, -1), 2 ** power], seed, stored),
      ),
    }),
  ),

  operation(
    'quantise',
    fc.record({
      shape: manyRows,
      bits: fc.constantFrom<4 | 8>(4, 8),
      range: fc.constantFrom('absmax', 'minmax'),
      flat: fc.boolean(),
      // Not i8: its decoded numbers lie on a grid of their own, where the last bit of a scale decides ties.
      stored: fc.constantFrom('f32', 'f16'),
      seed: seeds,
    }),
    (bench, { shape, bits, range, flat, stored, seed }) => {
      const same = new Float32Array(sizeOf(shape)).fill(seed % 3);
      const x = flat ? { shape, data: same } : nearSteps(shape, seed, { bits, range });
      return { output: bench.backend.quantise(bench.tensor(x, stored), { bits, range }) };
    },
  ),
];

/** Numbers up to 0.4 from the nearest whole one, which are the steps: halfway, the last bit would decide. */
function nearSteps(
  shape: readonly number[],
  seed: number,
  { bits, range }: { bits: 4 | 8; range: 'absmax' | 'minmax' },
): HostArray {
  const high = range === 'absmax' ? 2 ** (bits - 1) - 1 : 2 ** bits - 1;
  const low = range === 'absmax' ? -high : 0;
  const next = uniform(seed, 'steps');
  const width = shape.at(-1)!;
  const data = Float32Array.from({ length: sizeOf(shape) }, (_, i) => {
    if (i % width < 2) return i % width === 0 ? high : low;
    return low + 1 + Math.floor((high - low - 1) * next()) + 0.8 * (next() - 0.5);
  });
  return { shape, data };
}
