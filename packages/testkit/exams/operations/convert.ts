import { f16round } from '@petamoriken/float16';
import { type Backend, reference } from '@jit-attention/core';

import { onBackend } from '../../src/backends.js';
import { assertClose, assertSame } from '../../src/compare.js';
import { uniform } from '../../src/random.js';
import type { Operation } from './support.js';

export const CONVERT: readonly Operation[] = [
  ({ it }, { factory }) =>
    it('rounds to f16 as IEEE 754 does, whatever the number', () =>
      onBackend(factory, roundsToHalves)),
  ({ it }, { factory }) =>
    it('keeps i8 rows of zeros, of one number, with Inf and with NaN as the reference does', () =>
      onBackend(factory, keepsCodes)),
];

async function roundsToHalves(backend: Backend): Promise<void> {
  const all = numbers();
  for (const width of [1, 7, all.length]) {
    const rows = Math.floor(all.length / width);
    const data = all.subarray(0, rows * width);
    const tensor = backend.tensor(data, { shape: [rows, width], dtype: 'f16' });
    assertSame(`width ${width}`, await tensor.data(), data.map(f16round));
    tensor.dispose();
  }
}

/** Every half float, and f32 numbers around and between them: ties, denormals, overflow, Inf, NaN. */
function numbers(): Float32Array {
  const next = uniform(1, 'numbers');
  const words: number[] = [];
  for (let exponent = 0; exponent < 256; exponent++) {
    for (const mantissa of [
      0, 1, 0xfff, 0x1000, 0x1001, 0x1fff, 0x3000, 0x7fefff, 0x7ff000, 0x7fffff,
    ])
      words.push((exponent << 23) | mantissa, ((exponent << 23) | mantissa) ^ (1 << 31));
  }
  for (let i = 0; i < 200_000; i++) words.push(Math.floor(next() * 2 ** 32) | 0);
  // Halves themselves lie in exponents 103 to 143.
  for (let i = 0; i < 200_000; i++) words.push(Math.floor((102 + 42 * next()) * 2 ** 23) | 0);
  return new Float32Array(Int32Array.from(words).buffer);
}

async function keepsCodes(backend: Backend): Promise<void> {
  const rows = [
    [0, 0, 0],
    [5, 5, -5],
    [1, Infinity, -1],
    [1, NaN, 0],
    [1e-44, 0, -1e-44],
  ];
  const shape = [rows.length, 3];
  const data = Float32Array.from(rows.flat());
  const tensor = backend.tensor(data, { shape, dtype: 'i8' });
  const right = reference().tensor(data, { shape, dtype: 'i8' });
  assertClose('rows', await tensor.data(), await right.data(), { tolerance: 1e-6, shape });
  tensor.dispose();
}
