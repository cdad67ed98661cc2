import { entriesOf, type Ops, reference, type Tensor } from '@jit-attention/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { type ArrayCase, arrays, numbersOf } from '../../src/backend/arrays.js';
import { assertClose, holds, tolerances } from '../../src/index.js';

/** The small primitives of the reference, each held to its definition, written in another way. */

const { f32: tolerance } = tolerances.reference;
const backend = reference();

function tensor(one: ArrayCase, name: string, shape: readonly number[] = one.shape): Tensor<'f32'> {
  return backend.tensor(numbersOf(one, name, shape).data, { shape });
}

/** Rows of the last axis. */
async function rowsOf(one: Tensor): Promise<number[][]> {
  const [data, width] = [await one.data(), one.shape.at(-1)!];
  return Array.from({ length: data.length / width }, (_, i) => [
    ...data.subarray(i * width, (i + 1) * width),
  ]);
}

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

/** Holds a transform of rows to a formula for one of them. */
async function eachRow(
  input: Tensor,
  output: Tensor,
  formula: (row: number[], number: number) => number[],
): Promise<void> {
  const expected = (await rowsOf(input)).map(formula);
  assertClose('rows', await output.data(), expected.flat(), { tolerance });
}

describe('reference: rows', () => {
  it('linear is a product with every row of the weight', () =>
    holds([arrays()], async (one) => {
      const weight = tensor(one, 'weight', [5, one.shape[3]]);
      const bias = tensor(one, 'bias', [5]);
      const [x, columns, [offset]] = [tensor(one, 'x'), await rowsOf(weight), await rowsOf(bias)];
      await eachRow(x, backend.linear(x, { weight, bias, activation: 'relu' }), (row) =>
        columns.map((column, i) =>
          Math.max(0, offset[i] + sum(column.map((value, d) => value * row[d]))),
        ),
      );
    }));

  it.each([
    ['sigmoid', (x: number) => 1 / (1 + Math.exp(-x))],
    ['silu', (x: number) => x / (1 + Math.exp(-x))],
  ] as const)('linear applies %s', async (activation, formula) => {
    const x = backend.tensor(Float32Array.of(-3, -0.5, 0, 2), { shape: [4, 1] });
    const weight = backend.tensor(Float32Array.of(1), { shape: [1, 1] });
    await eachRow(x, backend.linear(x, { weight, activation }), ([value]) => [formula(value)]);
  });

  it('rms leaves a mean square of one, layer a mean of zero as well', () =>
    holds([arrays(fc.integer({ min: 2, max: 40 }))], async (one) => {
      const eps = 1e-30;
      const x = tensor(one, 'x');
      for (const row of await rowsOf(backend.norm(x, { kind: 'rms', eps })))
        expect(sum(row.map((value) => value ** 2)) / row.length).toBeCloseTo(1, 5);
      for (const row of await rowsOf(backend.norm(x, { kind: 'layer', eps }))) {
        expect(sum(row)).toBeCloseTo(0, 4);
        expect(sum(row.map((value) => value ** 2)) / row.length).toBeCloseTo(1, 5);
      }
    }));

  it('norm applies eps inside the root, then weight, then bias', async () => {
    const x = backend.tensor(Float32Array.of(3, 4), { shape: [1, 2] });
    const weight = backend.tensor(Float32Array.of(2, 10), { shape: [2] });
    const bias = backend.tensor(Float32Array.of(1, -1), { shape: [2] });
    const normed = backend.norm(x, { kind: 'rms', eps: 3.5, weight, bias });
    assertClose('rms', await normed.data(), [(3 / 4) * 2 + 1, (4 / 4) * 10 - 1], { tolerance });
  });

  it('rotary multiplies pairs, as complex numbers, by e^(i p f)', () =>
    holds([arrays(fc.constant(12)), fc.boolean()], async (one, interleaved) => {
      const frequencies = [1, 0.3, 0.01, 0.002];
      const [first, step] = [one.shape.slice(0, 1).flatMap((batch) => spread(batch)), 3];
      const x = tensor(one, 'x');
      const channels = [4, 12] as const;
      const rotated = backend.rotary(x, { frequencies, first, step, channels, interleaved });
      await eachRow(x, rotated, (row, number) => {
        const [, heads, tokens] = one.shape;
        const position = first[Math.floor(number / (heads * tokens))] + step * (number % tokens);
        return rotate(row, position, frequencies, interleaved);
      });
    }));

  it('hadamard is Sylvester’s matrix: (-1)^(bits that i and j share)', () =>
    holds([arrays(fc.constantFrom(1, 2, 8, 64))], async (one) => {
      const x = tensor(one, 'x');
      await eachRow(x, backend.hadamard(x), (row) =>
        row.map((_, i) => sum(row.map((value, j) => sign(i & j) * value)) / Math.sqrt(row.length)),
      );
    }));

  it('quantise rounds to the nearest of the codes', async () => {
    const x = backend.tensor(Float32Array.of(-7, 0.4, 0.6, 3.2), { shape: [1, 4] });
    const absmax = await backend.quantise(x, { bits: 4, range: 'absmax' }).data();
    assertClose('absmax', absmax, [-7, 0, 1, 3], { tolerance });
    const y = backend.tensor(Float32Array.of(10, 25, 12.4, 12.6), { shape: [1, 4] });
    const minmax = await backend.quantise(y, { bits: 4, range: 'minmax' }).data();
    assertClose('minmax', minmax, [10, 25, 12, 13], { tolerance });
  });
});

const spread = (batch: number): number[] => Array.from({ length: batch }, (_, row) => 100 * row);
const sign = (shared: number): number => (bitsOf(shared) % 2 === 0 ? 1 : -1);
const bitsOf = (n: number): number => (n === 0 ? 0 : (n & 1) + bitsOf(n >> 1));

/** Channels 4 to 12 of a row, as four complex numbers. */
function rotate(
  row: readonly number[],
  position: number,
  frequencies: readonly number[],
  interleaved: boolean,
): number[] {
  const out = [...row];
  frequencies.forEach((frequency, i) => {
    const [re, im] = interleaved ? [4 + 2 * i, 5 + 2 * i] : [4 + i, 8 + i];
    const radius = Math.hypot(row[re], row[im]);
    const angle = Math.atan2(row[im], row[re]) + position * frequency;
    out[re] = radius * Math.cos(angle);
    out[im] = radius * Math.sin(angle);
  });
  return out;
}

describe('reference: pool', () => {
  const rows = [
    [1, -1],
    [2, 5],
    [4, 0],
    [8, 3],
    [16, 2],
  ];
  const values = entriesOf(backend.tensor(Float32Array.from(rows.flat()), { shape: [1, 1, 5, 2] }));
  const part = { values, start: -1, length: 3 };
  const pooled = (kind: Parameters<Ops['pool']>[0]['kind'], more = {}): Promise<Float32Array> =>
    backend.pool({ kind, parts: [{ ...part, ...more }], stride: 2, first: [0], count: 4 }).data();

  it('takes rows stride·i + start … + length, without those outside', async () => {
    // Groups of rows 0–1, 1–3, 3–4, and none.
    expect(await pooled('mean')).toEqual(Float32Array.of(1.5, 2, 14 / 3, 8 / 3, 12, 2.5, 0, 0));
    expect(await pooled('min')).toEqual(Float32Array.of(1, -1, 2, 0, 8, 2, 0, 0));
    expect(await pooled('max')).toEqual(Float32Array.of(2, 5, 8, 5, 16, 3, 0, 0));
  });

  it('lays rows side by side, absent ones as zeros', async () => {
    expect((await pooled('concat')).slice(0, 6)).toEqual(Float32Array.of(0, 0, 1, -1, 2, 5));
    expect((await pooled('concat')).slice(12)).toEqual(
      Float32Array.of(8, 3, 16, 2, 0, 0, 0, 0, 0, 0, 0, 0),
    );
  });

  it('weighs rows by a softmax for each channel, over all parts', async () => {
    const logits = entriesOf(
      backend.tensor(Float32Array.of(0, 0, Math.log(3), 0, 0, 0, 0, 0, 0, 0), {
        shape: [1, 1, 5, 2],
      }),
    );
    const weighted = await pooled('softmax', { logits });
    assertClose('softmax', weighted.slice(0, 2), [(1 + 3 * 2) / 4, 2], { tolerance });
  });

  it('takes some of the channels', async () => {
    const one = await pooled('max', { channels: [1, 2] });
    expect(one).toEqual(Float32Array.of(5, 5, 3, 0));
  });
});
